//! Lists of allowed system calls, made into a filter; whatever is not on the list kills the process.
//!
//! Owns how such a list is written and installed. What is on it is the targets' affair: [`crate::hvt`], [`crate::spt`].

#[cfg(test)]
pub(crate) mod interpreter;

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::os::fd::{AsRawFd, BorrowedFd};

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// The allowed system calls, each with the arguments that it is allowed with.
#[derive(Debug, Default)]
pub(crate) struct Allowed(BTreeMap<i64, Vec<SeccompRule>>);

/// What an argument must be, by its index. All its 64 bits count, although the kernel looks at 32 of most: nobody loses
/// anything by that.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Must {
    Equal(u8, u64),
    BeAtMost(u8, u64),
}

impl Allowed {
    /// With any arguments.
    pub(crate) fn call(mut self, number: libc::c_long) -> Self {
        self.0.insert(number, vec![]);
        self
    }

    /// With these arguments; or with others, if it is on the list already.
    pub(crate) fn call_if(mut self, number: libc::c_long, conditions: &[Must]) -> Result<Self, BackendError> {
        let conditions: Result<_, _> = conditions.iter().map(|condition| condition.compile()).collect();
        let rules = self.0.entry(number).or_default();
        rules.push(SeccompRule::new(conditions?)?);
        Ok(self)
    }

    /// The list as the kernel reads it.
    pub(crate) fn compile(self) -> Result<BpfProgram, BackendError> {
        let filter = SeccompFilter::new(
            self.0,
            SeccompAction::KillProcess,
            SeccompAction::Allow,
            ARCH.try_into()?,
        )?;
        filter.try_into()
    }
}

impl Must {
    /// The first argument is this descriptor.
    pub(crate) fn be_on(descriptor: BorrowedFd<'_>) -> Self {
        let number = u64::try_from(descriptor.as_raw_fd()).expect("an open descriptor is not negative");
        Self::Equal(0, number)
    }

    fn compile(self) -> Result<SeccompCondition, BackendError> {
        let (argument, operator, value) = match self {
            Self::Equal(argument, value) => (argument, SeccompCmpOp::Eq, value),
            Self::BeAtMost(argument, value) => (argument, SeccompCmpOp::Le, value),
        };
        SeccompCondition::new(argument, SeccompCmpArgLen::Qword, operator, value)
    }
}

/// Takes every other system call from this process, for good, and with them every way to gain privileges. The crate sets
/// `no_new_privs` first, without which the kernel would ask for privileges to install a filter.
pub(crate) fn install(filter: &BpfProgram) -> Result<(), seccompiler::Error> {
    seccompiler::apply_filter(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_all_needed_and_rules_are_alternatives() {
        let allowed = Allowed::default()
            .call(3)
            .call_if(5, &[Must::Equal(0, 7), Must::BeAtMost(3, 100)])
            .and_then(|allowed| allowed.call_if(5, &[Must::Equal(0, 8)]));
        let filter = allowed.unwrap().compile().unwrap();
        let allows = |call, arguments| interpreter::allows(&filter, call, arguments);
        assert!(allows(3, [9; 6]));
        assert!(!allows(4, [9; 6]));
        assert!(allows(5, [7, 0, 0, 100, 0, 0]));
        assert!(!allows(5, [7, 0, 0, 101, 0, 0]));
        assert!(!allows(5, [7, 0, 0, u64::MAX, 0, 0]));
        assert!(allows(5, [8, 0, 0, 101, 0, 0]));
        assert!(!allows(5, [(1 << 32) | 7, 0, 0, 0, 0, 0]), "the upper half counts");
    }

    #[test]
    fn other_ways_into_the_kernel_are_closed() {
        const X32_BIT: u32 = 0x4000_0000;
        const I386: u32 = 0x4000_0003;
        let filter = Allowed::default().call(1).compile().unwrap();
        assert!(!interpreter::allows(&filter, X32_BIT | 1, [1; 6]));
        assert_eq!(
            interpreter::verdict(&filter, I386, 1, [1; 6]),
            libc::SECCOMP_RET_KILL_PROCESS
        );
    }
}
