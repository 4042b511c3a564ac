//! Processes that the daemon did not necessarily start: held by a descriptor, so that a number that was given to another process
//! can never be meant.
//!
//! Owns how one is found again, waited for and killed. [`stat`] reads what the kernel says of it, [`record`] is what is written
//! down about it.

pub(crate) mod record;
mod stat;

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_open, pidfd_send_signal, waitid,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

pub(crate) use record::{IfGone, RunRecord};

/// A process, as long as it is held here.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    start_ticks: u64,
    pidfd: AsyncFd<OwnedFd>,
}

impl Process {
    /// A child that was just started, and not waited for: it has its number even if it has ended already.
    pub(crate) fn of_child(pid: u32) -> io::Result<Self> {
        let opened = Self::open(pid_of(pid)?)?;
        let (process, _) = opened.ok_or_else(|| io::Error::other("somebody else has waited for it"))?;
        Ok(process)
    }

    /// The process that was recorded, if it is still that one and lives.
    pub(crate) fn find(pid: u32, start_ticks: u64) -> io::Result<Option<Self>> {
        let opened = Self::open(pid_of(pid)?)?;
        let same =
            |(process, is_alive): (Self, bool)| (is_alive && process.start_ticks == start_ticks).then_some(process);
        Ok(opened.and_then(same))
    }

    /// The process of this number, and whether it lives.
    fn open(pid: Pid) -> io::Result<Option<(Self, bool)>> {
        let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // From here on the number is this process's; whether it was so before, its start tells.
        let Some(stat) = stat::read(pid)? else {
            return Ok(None);
        };
        let process = Self {
            pid,
            start_ticks: stat.start_ticks,
            pidfd: watched(pidfd)?,
        };
        Ok(Some((process, stat.is_alive)))
    }

    /// Its number.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Its number, as it is told and recorded.
    pub(crate) fn number(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// When it was started, in clock ticks since the host was.
    pub(crate) fn start_ticks(&self) -> u64 {
        self.start_ticks
    }

    /// Kills it. It is gone when [`ended`](Self::ended) says so.
    pub(crate) fn kill(&self) -> io::Result<()> {
        match pidfd_send_signal(&self.pidfd, Signal::KILL) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for its end. May be asked again; only the first time the status is known.
    pub(crate) async fn ended(&self) -> io::Result<Ending> {
        loop {
            let mut guard = self.pidfd.readable().await?;
            if let Some(ending) = self.ending()? {
                return Ok(ending);
            }
            guard.clear_ready();
        }
    }

    fn ending(&self) -> io::Result<Option<Ending>> {
        let pidfd = self.pidfd.get_ref().as_fd();
        match waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
            Ok(status) => Ok(status.map(|status| Ending::of(&status))),
            // Another one's child, or waited for already: there is no status, but the descriptor tells.
            Err(Errno::CHILD) => {
                let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
                let gone = poll(&mut fds, Some(&Timespec::default()))? > 0;
                Ok(gone.then_some(Ending::Unknown))
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[expect(unsafe_code, reason = "tokio cannot see that a descriptor stays the same")]
fn watched(pidfd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open until it is dropped, always has the same number, and only the `AsyncFd` has this one.
    Ok(unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }?)
}

fn pid_of(number: u32) -> io::Result<Pid> {
    let number = i32::try_from(number).ok().and_then(Pid::from_raw);
    number.ok_or_else(|| io::Error::other("this is no number of a process"))
}

/// How a process ended. Shown as what follows "the unikernel".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself.
    Status(i32),
    /// By a signal.
    Signal(i32),
    /// Nobody can say: it was not the daemon's child, or ended while there was none.
    Unknown,
}

impl Ending {
    fn of(status: &WaitIdStatus) -> Self {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(status), _) => Self::Status(status),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "ended with status {status}"),
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "was killed by signal {signal} ({name})"),
                None => write!(f, "was killed by signal {signal}"),
            },
            Self::Unknown => f.write_str("ended, its status is not known"),
        }
    }
}

/// The signals that end unikernels: by the daemon or the kernel, for a fault, for what the filter forbids.
fn signal_name(signal: i32) -> Option<&'static str> {
    match Signal::from_named_raw(signal)? {
        Signal::HUP => Some("SIGHUP"),
        Signal::INT => Some("SIGINT"),
        Signal::QUIT => Some("SIGQUIT"),
        Signal::ILL => Some("SIGILL"),
        Signal::TRAP => Some("SIGTRAP"),
        Signal::ABORT => Some("SIGABRT"),
        Signal::BUS => Some("SIGBUS"),
        Signal::FPE => Some("SIGFPE"),
        Signal::KILL => Some("SIGKILL"),
        Signal::SEGV => Some("SIGSEGV"),
        Signal::TERM => Some("SIGTERM"),
        Signal::XCPU => Some("SIGXCPU"),
        Signal::SYS => Some("SIGSYS"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};

    fn child(script: &str) -> (Child, Process) {
        let child = Command::new("sh").args(["-c", script]).spawn().unwrap();
        let process = Process::of_child(child.id()).unwrap();
        (child, process)
    }

    #[tokio::test]
    async fn the_end_of_a_child_is_told_with_its_status() {
        let (_child, process) = child("sleep 0.1; exit 3");
        assert_eq!(process.ended().await.unwrap(), Ending::Status(3));
        assert_eq!(process.ended().await.unwrap(), Ending::Unknown);
        let (_child, process) = child("sleep 60");
        process.kill().unwrap();
        let ending = process.ended().await.unwrap();
        assert_eq!(ending.to_string(), "was killed by signal 9 (SIGKILL)");
        process.kill().unwrap();
    }

    #[tokio::test]
    #[expect(clippy::zombie_processes, reason = "the process is waited for by its descriptor")]
    async fn a_child_that_ended_at_once_is_held_like_any_other() {
        let child = Command::new("sh").args(["-c", "exit 4"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
        let process = Process::of_child(child.id()).unwrap();
        assert_eq!(process.ended().await.unwrap(), Ending::Status(4));
    }

    #[tokio::test]
    async fn only_the_same_process_is_found_again() {
        let (_child, process) = child("sleep 60");
        let (pid, start) = (process.number(), process.start_ticks());
        assert!(Process::find(pid, start).unwrap().is_some());
        assert!(Process::find(pid, start + 1).unwrap().is_none());
        process.kill().unwrap();
        process.pidfd.readable().await.unwrap().retain_ready();
        // It is dead, but not waited for.
        assert!(Process::find(pid, start).unwrap().is_none());
        process.ended().await.unwrap();
        assert!(Process::find(pid, start).unwrap().is_none());
    }

    #[tokio::test]
    async fn the_end_of_a_process_of_others_is_noticed() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 60 & echo $!; wait"]).stdout(Stdio::piped());
        let mut shell = command.spawn().unwrap();
        let mut line = String::new();
        io::BufRead::read_line(&mut io::BufReader::new(shell.stdout.take().unwrap()), &mut line).unwrap();
        let number = pid_of(line.trim().parse().unwrap()).unwrap();
        let (process, _) = Process::open(number).unwrap().unwrap();
        process.kill().unwrap();
        assert_eq!(process.ended().await.unwrap(), Ending::Unknown);
        shell.wait().unwrap();
    }

    #[test]
    fn endings_are_told_in_words() {
        for (ending, text) in [
            (Ending::Status(0), "ended with status 0"),
            (Ending::Signal(31), "was killed by signal 31 (SIGSYS)"),
            (Ending::Signal(42), "was killed by signal 42"),
            (Ending::Unknown, "ended, its status is not known"),
        ] {
            assert_eq!(ending.to_string(), text);
        }
    }
}
