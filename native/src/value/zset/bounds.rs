//! Intervals of a sorted set's order.

/// One end of an interval of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreBound {
    /// Where it is; may be infinite.
    pub score: f64,
    /// Whether this score itself is left out.
    pub open: bool,
}

/// One end of an interval of members of equal score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// Below every member.
    Min,
    /// Above every member.
    Max,
    /// At this member, which belongs to the interval.
    Closed(&'a [u8]),
    /// At this member, which does not belong to the interval.
    Open(&'a [u8]),
}

/// An interval of a sorted set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds<'a> {
    /// From one score to another.
    Score(ScoreBound, ScoreBound),
    /// From one member to another.
    Lex(LexBound<'a>, LexBound<'a>),
}

impl Bounds<'_> {
    /// Whether the entry stands before the interval. The member is asked for only where it decides.
    pub(super) fn is_below<'m>(&self, score: f64, member: impl FnOnce() -> &'m [u8]) -> bool {
        match self {
            Bounds::Score(min, _) => score < min.score || (min.open && score == min.score),
            Bounds::Lex(LexBound::Min, _) => false,
            Bounds::Lex(LexBound::Max, _) => true,
            Bounds::Lex(LexBound::Closed(min), _) => member() < *min,
            Bounds::Lex(LexBound::Open(min), _) => member() <= *min,
        }
    }

    /// Whether the entry stands behind the interval.
    pub(super) fn is_above<'m>(&self, score: f64, member: impl FnOnce() -> &'m [u8]) -> bool {
        match self {
            Bounds::Score(_, max) => score > max.score || (max.open && score == max.score),
            Bounds::Lex(_, LexBound::Min) => true,
            Bounds::Lex(_, LexBound::Max) => false,
            Bounds::Lex(_, LexBound::Closed(max)) => member() > *max,
            Bounds::Lex(_, LexBound::Open(max)) => member() >= *max,
        }
    }
}
