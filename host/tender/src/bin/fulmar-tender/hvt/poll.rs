//! The guest's sleep: until a packet arrives, or a time has passed.
#![expect(
    unsafe_code,
    reason = "the waiting of the C library: known system calls, and no memory of their own"
)]

use std::io::Error;
use std::os::fd::AsRawFd;
use std::ptr::{null, null_mut};

use crate::events::{Events, TIMER_DATA};

/// One for each handle, and one for the timer.
const EVENTS_MAX: usize = 65;

const NANOSECONDS_A_SECOND: u64 = 1_000_000_000;

/// Which devices have something to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ready {
    /// A bit for each handle.
    pub(super) handles: u64,
    pub(super) count: i32,
}

/// Waits so many nanoseconds, or less if something is ready earlier. On failure, the number of the system's error.
pub(super) fn wait(events: &Events, timeout_ns: u64) -> Result<Ready, i32> {
    if timeout_ns > 0 {
        set_timer(events, timeout_ns)?;
    }
    // Without a timeout it only looks; else the timer ends it, which knows nanoseconds, and goes on through signals.
    let timeout_ms = if timeout_ns > 0 { -1 } else { 0 };
    let mut buffer = [libc::epoll_event { events: 0, u64: 0 }; EVENTS_MAX];
    let found = loop {
        // SAFETY: the kernel writes at most `EVENTS_MAX` events to `buffer`, which has room for them.
        let count = unsafe {
            libc::epoll_pwait(
                events.epoll().as_raw_fd(),
                buffer.as_mut_ptr(),
                i32::try_from(EVENTS_MAX).unwrap_or(i32::MAX),
                timeout_ms,
                null(),
            )
        };
        match usize::try_from(count) {
            Ok(count) => break &buffer[..count],
            Err(_) => match Error::last_os_error().raw_os_error() {
                Some(libc::EINTR) => {}
                number => return Err(number.unwrap_or_default()),
            },
        }
    };
    Ok(ready(found.iter().map(|event| event.u64)))
}

/// Adds the data of events up; the timer is not the guest's.
fn ready(found: impl Iterator<Item = u64>) -> Ready {
    found
        .filter(|&handle| handle != TIMER_DATA)
        .fold(Ready::default(), |ready, handle| Ready {
            handles: ready.handles | 1_u64.unbounded_shl(u32::try_from(handle).unwrap_or(u32::MAX)),
            count: ready.count + 1,
        })
}

fn set_timer(events: &Events, timeout_ns: u64) -> Result<(), i32> {
    let never_again = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let time = libc::itimerspec {
        it_interval: never_again,
        it_value: libc::timespec {
            tv_sec: i64::try_from(timeout_ns / NANOSECONDS_A_SECOND).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(timeout_ns % NANOSECONDS_A_SECOND).unwrap_or_default(),
        },
    };
    // SAFETY: the kernel only reads `time`, which outlives the call.
    let result = unsafe { libc::timerfd_settime(events.timer().as_raw_fd(), 0, &raw const time, null_mut()) };
    if result == 0 {
        Ok(())
    } else {
        Err(Error::last_os_error().raw_os_error().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::Devices;
    use std::time::{Duration, Instant};

    #[test]
    fn handles_become_bits_and_the_timer_is_left_out() {
        let ready = ready([1, TIMER_DATA, 63].into_iter());
        assert_eq!((ready.handles, ready.count), ((1 << 63) | 2, 2));
    }

    #[test]
    fn a_sleep_is_as_long_as_asked_and_none_is_none() {
        let events = Events::new(&Devices::default()).unwrap();
        let start = Instant::now();
        assert_eq!(wait(&events, 20_000_000), Ok(Ready::default()));
        assert!(start.elapsed() >= Duration::from_millis(20));
        // The timer has gone off, which a look without a sleep does not count.
        let start = Instant::now();
        assert_eq!(wait(&events, 0), Ok(Ready::default()));
        assert_eq!(wait(&events, 1), Ok(Ready::default()));
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
