import type { Core } from './core.js';
import type { Promises } from './lease.js';
import { HURRY_MS } from './limits.js';
import type { Milliseconds, PreVote, PreVoteReply, Vote, VoteReply } from './types.js';

/** `won` and `lost` are final for the round. */
export type Outcome = 'open' | 'won' | 'lost';

/** Candidacy and voting (E1 to E6). Says what came of it; `Raft` changes the role. */
export class Election {
  readonly #core: Core;
  readonly #promises: Promises;
  #phase: 'none' | 'preVote' | 'vote' = 'none';
  /** Names a round of pre-votes, so that a late grant is not counted in another (E1). */
  #round = 0;
  readonly #answers = new Map<number, boolean>();
  /** The write that makes the own vote count (E2). */
  #ownVoteSeq = 0;
  #barrierUntil: Milliseconds = Number.NEGATIVE_INFINITY;
  #transfer = false;
  /** When the leader of this term was last heard. */
  #heardAt: Milliseconds = Number.NEGATIVE_INFINITY;
  /** Campaigns since a leader was last heard: each doubles the delay of a hurried one. */
  #attempts = 0;
  /** When to campaign. */
  deadline: Milliseconds = 0;

  constructor(core: Core, promises: Promises) {
    this.#core = core;
    this.#promises = promises;
    this.deadline = core.voters.length === 1 ? core.now : this.#timeout();
  }

  /** E6: until when the leader that won this election neither commits nor serves. */
  get barrierUntil(): Milliseconds {
    return this.#transfer ? Number.NEGATIVE_INFINITY : this.#barrierUntil;
  }

  /** E11: whether this peer may campaign at all. */
  get electable(): boolean {
    return this.#core.installing === undefined;
  }

  /** A frame of this term's leader was accepted. */
  heard(): void {
    this.#heardAt = this.#core.now;
    this.#attempts = 0;
    this.deadline = this.#timeout();
  }

  /** No leader is known any more; whoever was heard belongs to an earlier term. */
  reset(): void {
    this.#phase = 'none';
    this.#heardAt = Number.NEGATIVE_INFINITY;
  }

  /** Puts the own campaign off by a full timeout. */
  defer(): void {
    this.deadline = this.#timeout();
  }

  /** The process did not run for a while: what waits in its sockets comes before its timers (G4). */
  stalled(): void {
    this.deadline = Math.max(this.deadline, this.#core.now + this.#core.timers.beatMs);
  }

  /** E1b: all connections to the leader are closed, so its silence needs no proof. */
  hurry(): void {
    this.deadline = Math.min(this.deadline, this.#core.now + this.#retryDelay());
  }

  /** A peer can be asked again, and nobody leads that is known of: campaigns that failed so far say nothing. */
  reachable(): void {
    this.#attempts = 0;
    this.hurry();
  }

  #timeout(): Milliseconds {
    const { electionMs } = this.#core.timers;
    return this.#core.now + this.#core.between(electionMs, 2 * electionMs);
  }

  /** Short at first, so that a split vote costs little; doubling, so that a peer that cannot win falls silent. */
  #retryDelay(): Milliseconds {
    const { electionMs } = this.#core.timers;
    const most = Math.min(HURRY_MS.max * 2 ** this.#attempts, 2 * electionMs);
    return this.#core.between(Math.min(HURRY_MS.min * 2 ** this.#attempts, electionMs), most);
  }

  /** Starts a round of pre-votes. */
  preCampaign(): Outcome {
    const core = this.#core;
    this.#begin('preVote');
    this.#round++;
    const { index, term } = core.log.last;
    for (const to of core.peers) {
      core.outbox.sendNow({
        type: 'preVote',
        from: core.id,
        to,
        term: core.term + 1,
        lastIndex: index,
        lastTerm: term,
        round: this.#round,
      });
    }
    return this.#answer(core.id, true);
  }

  /**
   * Asks for votes in the current term, which is new and has the own vote already. Requests leave, and the own vote
   * counts, when the vote and the whole log it speaks of are durable (E2).
   */
  campaign(transfer: boolean): void {
    const core = this.#core;
    this.#begin('vote');
    this.#transfer = transfer;
    this.#barrierUntil = Number.NEGATIVE_INFINITY;
    this.#ownVoteSeq = core.outbox.nextSeq;
    const { index, term } = core.log.last;
    for (const to of core.peers) {
      core.outbox.sendAfter(this.#ownVoteSeq, {
        type: 'vote',
        from: core.id,
        to,
        term: core.term,
        lastIndex: index,
        lastTerm: term,
        transfer,
      });
    }
  }

  #begin(phase: 'preVote' | 'vote'): void {
    this.#phase = phase;
    this.#answers.clear();
    this.deadline = this.#timeout();
  }

  /** Writes were reported: the own vote may count now. */
  persisted(): Outcome {
    const { id, outbox } = this.#core;
    if (this.#phase !== 'vote' || this.#answers.has(id) || outbox.persistedSeq < this.#ownVoteSeq)
      return 'open';
    return this.#granted(id, this.#promises.remaining);
  }

  /** E1: granting changes nothing here, not even what is remembered of the leader. */
  onPreVote(message: PreVote, leased: boolean): void {
    const core = this.#core;
    const candidate = { index: message.lastIndex, term: message.lastTerm };
    const granted =
      message.term > core.term && core.rules.upToDate(candidate, core.log.last) && !leased && !this.#hears();
    core.outbox.send({
      type: 'preVoteReply',
      from: core.id,
      to: message.from,
      term: granted ? message.term : core.term,
      granted,
      round: message.round,
    });
  }

  /** E1c: a leader was heard of late, and a connection to it is open. */
  #hears(): boolean {
    const { leader, id, down, now, rules, timers } = this.#core;
    if (leader === 0 || leader === id || down.has(leader)) return false;
    return now - this.#heardAt < rules.silence(timers);
  }

  onPreVoteReply(message: PreVoteReply): Outcome {
    if (this.#phase !== 'preVote' || message.round !== this.#round) return 'open';
    return this.#answer(message.from, message.granted);
  }

  /** E2: one vote per term, for a log at least as complete as the own. Whoever asks may be voted for at any time. */
  onVote(message: Vote): void {
    const core = this.#core;
    const candidate = { index: message.lastIndex, term: message.lastTerm };
    const free = core.vote === 0 || core.vote === message.from;
    const granted = message.term === core.term && free && core.rules.upToDate(candidate, core.log.last);
    if (granted) {
      if (core.vote === 0) {
        core.vote = message.from;
        core.outbox.setHardState({ term: core.term, vote: core.vote });
      }
      this.deadline = this.#timeout();
    }
    core.outbox.send({
      type: 'voteReply',
      from: core.id,
      to: message.from,
      term: core.term,
      granted,
      promiseRemaining: granted ? this.#promises.remaining : 0,
    });
  }

  onVoteReply(message: VoteReply): Outcome {
    if (this.#phase !== 'vote') return 'open';
    if (!message.granted) return this.#answer(message.from, false);
    return this.#granted(message.from, message.promiseRemaining);
  }

  #granted(from: number, remaining: Milliseconds): Outcome {
    const { rules, now, timers } = this.#core;
    this.#barrierUntil = Math.max(this.#barrierUntil, rules.barrierEnd(now, remaining, timers));
    return this.#answer(from, true);
  }

  /** A connection closed: nobody there will answer. */
  peerDown(): Outcome {
    return this.#phase === 'none' ? 'open' : this.#outcome();
  }

  #answer(from: number, granted: boolean): Outcome {
    if (!this.#answers.has(from)) this.#answers.set(from, granted);
    return this.#outcome();
  }

  #outcome(): Outcome {
    const { voters, down, majority } = this.#core;
    let granted = 0;
    let possible = 0;
    for (const voter of voters) {
      const answer = this.#answers.get(voter);
      if (answer === true) granted++;
      if (answer === true || (answer === undefined && !down.has(voter))) possible++;
    }
    if (granted >= majority) return 'won';
    return possible >= majority ? 'open' : 'lost';
  }

  /** The round cannot be won any more: try again soon. */
  lost(): void {
    this.#phase = 'none';
    this.deadline = this.#core.now + this.#retryDelay();
    this.#attempts++;
  }

  /** The pre-vote or the election was won; no answer counts any more. */
  close(): 'preVote' | 'vote' | 'none' {
    const phase = this.#phase;
    this.#phase = 'none';
    return phase;
  }
}
