//! Protocols between threads that are more than a lock, taken from `native/src` as they are and run in every order of
//! their steps that the memory model allows.

#[cfg(test)]
mod sync {
    pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};

    /// A lock with the interface of the one in use.
    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Mutex<T> {
            Mutex(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().expect("nobody panics")
        }
    }
}

#[cfg(test)]
#[path = "../../src/keyspace/waiting/turns.rs"]
mod turns;

#[cfg(test)]
mod tests {
    use super::turns::Turns;
    use loom::sync::{Arc, Condvar, Mutex};
    use loom::thread;

    /// Being woken, as by a socket: once or more often makes no difference, and it is not forgotten.
    struct Wake(Mutex<bool>, Condvar);

    impl Wake {
        fn notify(&self) {
            *self.0.lock().expect("nobody panics") = true;
            self.1.notify_one();
        }

        fn wait(&self) {
            let mut woken = self.0.lock().expect("nobody panics");
            while !*woken {
                woken = self.1.wait(woken).expect("nobody panics");
            }
            *woken = false;
        }
    }

    /// Threads that each add one turn, and the one that is woken. A turn that nobody woke it for leaves it waiting for
    /// ever, which loom reports.
    fn every_turn_is_heard(adders: u64) {
        let place = Arc::new((Turns::new(), Wake(Mutex::new(false), Condvar::new())));
        let adders: Vec<_> = (0..adders)
            .map(|turn| {
                let place = place.clone();
                thread::spawn(move || {
                    let (turns, wake) = &*place;
                    if turns.add(turn) {
                        wake.notify();
                    }
                })
            })
            .collect();
        let (turns, wake) = &*place;
        let mut heard = Vec::new();
        while heard.len() < adders.len() {
            wake.wait();
            heard.extend(turns.take());
        }
        heard.sort_unstable();
        assert!(heard.into_iter().eq(0..adders.len() as u64));
        adders
            .into_iter()
            .for_each(|adder| adder.join().expect("no panic"));
    }

    /// So many times a thread is interrupted where it could go on: more find no other mistakes, and take minutes.
    fn model(interruptions: usize, run: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(interruptions);
        builder.check(run);
    }

    #[test]
    fn every_turn_of_two_threads_is_heard() {
        model(3, || every_turn_is_heard(2));
    }

    #[test]
    fn every_turn_of_three_threads_is_heard() {
        model(2, || every_turn_is_heard(3));
    }
}
