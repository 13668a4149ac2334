//! Which job runs when: the largest first, as many at once as there are threads, and no more than fit into memory together.

use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// Runs `work` on every job and gives what came of each, in the order of the jobs.
///
/// `memory` says what a job takes, in bytes. Jobs that run at the same time take `budget` bytes at most; one that takes more runs alone.
pub fn run<J: Sync, R: Send>(jobs: &[J], threads: usize, budget: u64, memory: impl Fn(&J) -> u64, work: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let mut waiting: Vec<(usize, u64)> = jobs.iter().map(&memory).enumerate().collect();
    // Largest last, to be taken from the end; of equals, the first one in the list first.
    waiting.sort_by_key(|(index, bytes)| (*bytes, std::cmp::Reverse(*index)));
    let queue = Queue { state: Mutex::new(State { waiting, used: 0, running: 0 }), freed: Condvar::new(), budget };
    let results: Vec<Mutex<Option<R>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            scope.spawn(|| {
                while let Some(turn) = queue.next() {
                    let result = work(&jobs[turn.index]);
                    *results[turn.index].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                }
            });
        }
    });
    let results = results.into_iter().map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner));
    results.map(|result| result.expect("every job has run when the threads have ended")).collect()
}

struct Queue {
    state: Mutex<State>,
    freed: Condvar,
    budget: u64,
}

struct State {
    /// Index and memory of each job that has not begun, the largest last.
    waiting: Vec<(usize, u64)>,
    /// Memory of those that run.
    used: u64,
    /// How many run.
    running: usize,
}

/// The right to run one job. Its memory is given back when this is dropped, even by a panic.
struct Turn<'q> {
    queue: &'q Queue,
    index: usize,
    memory: u64,
}

impl Queue {
    /// Waits for the next job: the largest that fits.
    fn next(&self) -> Option<Turn<'_>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.waiting.is_empty() {
                return None;
            }
            let room = self.budget.saturating_sub(state.used);
            let fits = match state.running {
                // Alone, whatever it takes.
                0 => Some(state.waiting.len() - 1),
                _ => state.waiting.iter().rposition(|(_, memory)| *memory <= room),
            };
            if let Some(at) = fits {
                let (index, memory) = state.waiting.remove(at);
                state.used += memory;
                state.running += 1;
                return Some(Turn { queue: self, index, memory });
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.used -= self.memory;
        state.running -= 1;
        self.queue.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Barrier, Mutex};

    use super::run;

    #[test]
    fn results_are_in_the_order_of_the_jobs_and_the_largest_begins() {
        let began = Mutex::new(Vec::new());
        let jobs = [3, 9, 1, 9, 4];
        let results = run(
            &jobs,
            1,
            10,
            |job| *job,
            |job| {
                began.lock().unwrap().push(*job);
                job * 2
            },
        );
        assert_eq!(results, [6, 18, 2, 18, 8]);
        assert_eq!(*began.lock().unwrap(), [9, 9, 4, 3, 1]);
    }

    #[test]
    fn jobs_at_once_fit_into_the_budget() {
        let (used, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let jobs: Vec<u64> = (0..200).map(|number| number % 37 + 1).collect();
        run(
            &jobs,
            8,
            50,
            |job| *job,
            |job| {
                most.fetch_max(used.fetch_add(*job, Ordering::SeqCst) + job, Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(1));
                used.fetch_sub(*job, Ordering::SeqCst);
            },
        );
        let most = most.into_inner();
        assert!((38..=50).contains(&most), "{most}");
    }

    #[test]
    fn what_fits_runs_at_once_and_what_is_too_large_alone() {
        // Two of these wait for each other: they must run at the same time.
        let barrier = Barrier::new(2);
        run(&[5, 5], 2, 10, |job| *job, |_| barrier.wait());
        let running = AtomicU64::new(0);
        run(
            &[100, 1, 1, 1, 100],
            4,
            10,
            |job| *job,
            |job| {
                let before = running.fetch_add(1, Ordering::SeqCst);
                assert!(*job < 100 || before == 0, "a job that is larger than the budget has company");
                std::thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
            },
        );
    }
}
