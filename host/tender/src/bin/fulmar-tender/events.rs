//! What a guest sleeps on: one epoll set with one timer in it.
//!
//! An `spt` guest sets the timer and waits itself; for an `hvt` guest the tender does. Taps are in the set too, each under its
//! handle.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};

use crate::devices::Devices;

/// The timer's data in the set, so that no handle can be mistaken for it.
pub(crate) const TIMER_DATA: u64 = 0xffff_fffe;

/// The epoll set and its timer; both close with this value, so it is kept until the guest is entered.
pub(crate) struct Events {
    epoll: OwnedFd,
    timer: OwnedFd,
}

impl Events {
    /// A set for these devices.
    pub(crate) fn new(devices: &Devices) -> Result<Self, Errno> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        epoll::add(&epoll, &timer, EventData::new_u64(TIMER_DATA), EventFlags::IN)?;
        for (handle, tap) in devices.nets() {
            epoll::add(&epoll, tap.as_fd(), EventData::new_u64(handle), EventFlags::IN)?;
        }
        Ok(Self { epoll, timer })
    }

    pub(crate) fn epoll(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    pub(crate) fn timer(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}
