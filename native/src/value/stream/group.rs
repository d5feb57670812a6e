//! A consumer group: how far it has read, what it was given and has not acknowledged, and to which consumer.

use super::StreamId;
use crate::structure::ordered_map::OrderedMap;

/// A consumer's place in its group, for as long as it is there.
pub type Slot = u32;

/// A group.
#[derive(Debug)]
pub struct Group {
    name: Box<[u8]>,
    /// The last entry that was delivered.
    pub last_id: StreamId,
    /// How many entries of the stream were read up to `last_id`, if that is known.
    pub entries_read: Option<u64>,
    /// Entries delivered and not acknowledged. Each is in its consumer's `owned`, too.
    pending: OrderedMap<StreamId, Pending>,
    /// By slot. Freed slots are used again, the last freed first.
    consumers: Vec<Option<Consumer>>,
    /// Slots in use, by the bytes of their consumers' names.
    by_name: Vec<Slot>,
    free: Vec<Slot>,
    /// Heap bytes of the consumers: names and `owned`.
    consumer_bytes: usize,
}

/// A delivery that waits for its acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Unix milliseconds.
    pub delivered_at_ms: i64,
    /// Number of deliveries.
    pub deliveries: u64,
    /// Whose it is.
    consumer: Slot,
}

impl Pending {
    /// The consumer's slot.
    pub fn consumer(&self) -> Slot {
        self.consumer
    }
}

/// A consumer.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Box<[u8]>,
    /// When it last tried to read or claim, Unix milliseconds.
    pub seen_at_ms: i64,
    /// When it last got something, Unix milliseconds.
    pub active_at_ms: Option<i64>,
    owned: OrderedMap<StreamId, ()>,
}

impl Consumer {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    fn memory(&self) -> usize {
        self.name.len() + self.owned.memory()
    }

    /// As it is now: what is pending is shared until this one changes it.
    fn freeze(&mut self) -> Consumer {
        Consumer {
            name: self.name.clone(),
            owned: self.owned.freeze(),
            ..*self
        }
    }

    /// Number of its pending entries.
    pub fn pending_count(&self) -> usize {
        self.owned.len()
    }

    /// Its pending entries between these ids, both included.
    pub fn owned(&self, from: StreamId, to: StreamId) -> impl DoubleEndedIterator<Item = StreamId> {
        self.owned.range(&from, &to).map(|(id, ())| id)
    }
}

/// A consumer that is no longer in its group. Large, if much was pending.
#[derive(Debug)]
pub struct RemovedConsumer {
    consumer: Consumer,
    /// The group's pending entries as they were, if it got new ones.
    group_index: OrderedMap<StreamId, Pending>,
}

impl RemovedConsumer {
    /// How many entries were pending for it.
    pub fn pending_count(&self) -> usize {
        self.consumer.pending_count()
    }

    /// Bytes on the heap. O(1).
    pub fn memory(&self) -> usize {
        self.consumer.memory() + self.group_index.memory()
    }
}

impl Clone for Group {
    fn clone(&self) -> Self {
        let consumers = self.consumers.clone();
        Group {
            name: self.name.clone(),
            pending: self.pending.clone(),
            // A copy of a consumer has no spare room.
            consumer_bytes: consumers.iter().flatten().map(Consumer::memory).sum(),
            consumers,
            by_name: self.by_name.clone(),
            free: self.free.clone(),
            ..*self
        }
    }
}

impl Group {
    /// A group without consumers.
    pub fn new(name: &[u8], last_id: StreamId, entries_read: Option<u64>) -> Group {
        Group {
            name: name.into(),
            last_id,
            entries_read,
            pending: OrderedMap::default(),
            consumers: Vec::new(),
            by_name: Vec::new(),
            free: Vec::new(),
            consumer_bytes: 0,
        }
    }

    /// The group as it is now, whatever becomes of this one: what is pending is shared until it changes. O(pending / 64 + consumers)
    pub fn freeze(&mut self) -> Group {
        let freeze = |consumer: &mut Option<Consumer>| consumer.as_mut().map(Consumer::freeze);
        let consumers: Vec<_> = self.consumers.iter_mut().map(freeze).collect();
        self.consumer_bytes = self.consumers.iter().flatten().map(Consumer::memory).sum();
        Group {
            name: self.name.clone(),
            pending: self.pending.freeze(),
            consumer_bytes: consumers.iter().flatten().map(Consumer::memory).sum(),
            consumers,
            by_name: self.by_name.clone(),
            free: self.free.clone(),
            ..*self
        }
    }

    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Bytes on the heap. O(1).
    pub fn memory(&self) -> usize {
        self.fixed_bytes() + self.pending.memory() + self.consumer_bytes
    }

    fn fixed_bytes(&self) -> usize {
        let slots = self.by_name.capacity() + self.free.capacity();
        self.name.len()
            + self.consumers.capacity() * size_of::<Option<Consumer>>()
            + slots * size_of::<Slot>()
    }

    fn with_maps(
        &self,
        of_pending: fn(&OrderedMap<StreamId, Pending>) -> usize,
        of_owned: fn(&OrderedMap<StreamId, ()>) -> usize,
    ) -> usize {
        let consumers = self.consumers.iter().flatten();
        let consumers = consumers.map(|consumer| consumer.name.len() + of_owned(&consumer.owned));
        self.fixed_bytes() + of_pending(&self.pending) + consumers.sum::<usize>()
    }

    /// Of a frozen group, bytes on the heap that it never shared. O(consumers).
    pub fn own_bytes(&self) -> usize {
        self.with_maps(OrderedMap::own_bytes, OrderedMap::own_bytes)
    }

    /// Of a frozen group, bytes on the heap that no other one shares. O(pending / 64 + consumers).
    pub fn memory_alone(&self) -> usize {
        self.with_maps(OrderedMap::memory_alone, OrderedMap::memory_alone)
    }

    /// Number of pending entries.
    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// A pending entry.
    pub fn pending(&self, id: StreamId) -> Option<Pending> {
        self.pending.get(&id).copied()
    }

    /// The pending entries between these ids, both included.
    pub fn pending_between(
        &self,
        from: StreamId,
        to: StreamId,
    ) -> impl DoubleEndedIterator<Item = (StreamId, Pending)> {
        self.pending.range(&from, &to).map(|(id, pending)| (id, *pending))
    }

    /// Number of consumers.
    pub fn consumer_count(&self) -> usize {
        self.by_name.len()
    }

    /// The consumers by the bytes of their names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = (Slot, &Consumer)> {
        self.by_name.iter().map(|&slot| (slot, self.consumer(slot)))
    }

    /// The consumer in a slot that is in use. Panics if it is not.
    pub fn consumer(&self, slot: Slot) -> &Consumer {
        match self.consumers.get(slot as usize) {
            Some(Some(consumer)) => consumer,
            _ => unreachable!("slot {slot} of a consumer is free"),
        }
    }

    fn consumer_mut(&mut self, slot: Slot) -> &mut Consumer {
        match self.consumers.get_mut(slot as usize) {
            Some(Some(consumer)) => consumer,
            _ => unreachable!("slot {slot} of a consumer is free"),
        }
    }

    fn search(&self, name: &[u8]) -> Result<usize, usize> {
        self.by_name
            .binary_search_by(|&slot| self.consumer(slot).name().cmp(name))
    }

    /// The slot of the consumer of this name.
    pub fn find_consumer(&self, name: &[u8]) -> Option<Slot> {
        self.search(name).ok().map(|at| self.by_name[at])
    }

    /// Adds a consumer, seen now and never active. False if it is there already. Gives its slot either way.
    pub fn create_consumer(&mut self, name: &[u8], now_ms: i64) -> (Slot, bool) {
        let at = match self.search(name) {
            Ok(at) => return (self.by_name[at], false),
            Err(at) => at,
        };
        let consumer = Consumer {
            name: name.into(),
            seen_at_ms: now_ms,
            active_at_ms: None,
            owned: OrderedMap::default(),
        };
        self.consumer_bytes += name.len();
        let slot = match self.free.pop() {
            Some(slot) => {
                self.consumers[slot as usize] = Some(consumer);
                slot
            }
            None => {
                self.consumers.push(Some(consumer));
                (self.consumers.len() - 1) as Slot
            }
        };
        self.by_name.insert(at, slot);
        (slot, true)
    }

    /// Notes that a consumer tried to read or claim.
    pub fn touch_seen(&mut self, slot: Slot, now_ms: i64) {
        self.consumer_mut(slot).seen_at_ms = now_ms;
    }

    /// Notes that a consumer got something (`None`: never, as a file may say).
    pub fn touch_active(&mut self, slot: Slot, now_ms: Option<i64>) {
        self.consumer_mut(slot).active_at_ms = now_ms;
    }

    /// Removes a consumer and all that is pending for it, and gives what is left to be freed.
    ///
    /// O(1) if nothing is pending for others. Otherwise the consumer's entries are spread over those of the group, which are in
    /// the order of ids for XPENDING and XAUTOCLAIM: they are taken out one by one if they are few, or the others are copied. A
    /// mark that says "gone", to be cleared later, would be seen by all who count or walk.
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<RemovedConsumer> {
        const FEW: usize = 8;
        let at = self.search(name).ok()?;
        let slot = self.by_name.remove(at);
        let consumer = self.consumers[slot as usize].take()?;
        self.free.push(slot);
        self.consumer_bytes -= consumer.memory();
        let mut group_index = OrderedMap::default();
        if consumer.owned.len() * FEW < self.pending.len() {
            for (id, ()) in consumer.owned.iter() {
                self.pending.remove(&id);
            }
        } else {
            group_index = std::mem::take(&mut self.pending);
            if group_index.len() > consumer.owned.len() {
                for (id, pending) in group_index.iter().filter(|(_, pending)| pending.consumer != slot) {
                    self.pending.insert(id, *pending);
                }
            }
        }
        Some(RemovedConsumer {
            consumer,
            group_index,
        })
    }

    fn change_owned<R>(&mut self, slot: Slot, change: impl FnOnce(&mut OrderedMap<StreamId, ()>) -> R) -> R {
        let owned = &mut self.consumer_mut(slot).owned;
        let before = owned.memory();
        let result = change(owned);
        let after = owned.memory();
        self.consumer_bytes = self.consumer_bytes - before + after;
        result
    }

    /// Makes an entry pending for a consumer, whoever had it before.
    pub fn assign(&mut self, id: StreamId, slot: Slot, delivered_at_ms: i64, deliveries: u64) {
        let pending = Pending {
            delivered_at_ms,
            deliveries,
            consumer: slot,
        };
        match self.pending.insert(id, pending) {
            Some(old) if old.consumer == slot => return,
            Some(old) => {
                self.change_owned(old.consumer, |owned| owned.remove(&id));
            }
            None => {}
        }
        self.change_owned(slot, |owned| owned.insert(id, ()));
    }

    /// Takes an entry off the pending ones. Whether it was there.
    pub fn release(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(&id) else {
            return false;
        };
        self.change_owned(pending.consumer, |owned| owned.remove(&id));
        true
    }

    /// Panics if an invariant is broken.
    pub fn verify(&self) {
        self.pending.verify();
        assert!(
            self.by_name
                .iter()
                .map(|&slot| self.consumer(slot).name())
                .is_sorted_by(|a, b| a < b)
        );
        let in_use = self.consumers.iter().flatten().count();
        assert_eq!(in_use, self.by_name.len());
        assert_eq!(in_use + self.free.len(), self.consumers.len());
        let (mut bytes, mut owned) = (0, 0);
        for (slot, consumer) in self.consumers() {
            consumer.owned.verify();
            bytes += consumer.memory();
            owned += consumer.owned.len();
            let is_mine = |id: StreamId| self.pending(id).is_some_and(|pending| pending.consumer == slot);
            assert!(consumer.owned.iter().all(|(id, ())| is_mine(id)));
        }
        assert_eq!((bytes, owned), (self.consumer_bytes, self.pending.len()));
    }
}
