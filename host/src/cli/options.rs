//! The words of the command line, as clap reads them.
//!
//! Owns names, defaults and help. Values are read by [`value`] and by the core's own types, so that what is read can be asked.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};
use fulmar::api::{Selection, UnikernelConfig};
use fulmar_core::{
    AfterRefusal, Amount, BlockDevice, Bridge, BridgeSet, CpuSet, Name, NetDevice, Path, Policy, Unikernel,
    UnikernelError,
};
use tracing::level_filters::LevelFilter;

use super::{exit, value};

/// Decides who may run which unikernels, and runs them.
#[derive(Debug, Parser)]
#[command(version, after_help = exit::TABLE, disable_help_subcommand = true)]
pub(super) struct Options {
    /// The daemon's Unix socket [default: /var/lib/fulmar/fulmar.sock; of `serve`: DIR/fulmar.sock]
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "FULMAR_SOCKET",
        hide_env_values = true,
        display_order = 90
    )]
    pub(super) socket: Option<PathBuf>,

    /// Answer with one line of JSON
    #[arg(long, global = true, display_order = 91)]
    pub(super) json: bool,

    #[command(subcommand)]
    pub(super) action: Action,
}

impl Options {
    /// A daemon answers nobody on its standard output.
    pub(super) fn no_json() -> clap::Error {
        Self::command().error(ErrorKind::ArgumentConflict, "`serve` does not go with --json")
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Run the daemon
    Serve(ServeOptions),
    #[command(flatten)]
    Ask(Ask),
}

/// What is asked: of the daemon, but for a preview.
#[derive(Debug, Subcommand)]
pub(super) enum Ask {
    /// Give a domain a policy, in place of the one it has
    AddPolicy(PolicyOptions),
    /// Take a domain's policy away; those above still hold
    RemovePolicy {
        /// The domain, as `alice:bob`; `:` is the root
        domain: Path,
    },
    /// Show the policies of a domain and everything below it, and what is used of them
    Policy {
        /// The domain
        #[arg(default_value = ":")]
        domain: Path,
    },
    /// Create a unikernel and start it
    Create(CreateOptions),
    /// End a unikernel and forget it
    Destroy {
        /// Its name
        name: Name,
    },
    /// Show unikernels
    Info {
        /// Which ones: `alice:web` that one and those in the domain of this name, `alice:` those in the domain
        #[arg(default_value = ":", value_parser = Selection::new)]
        selection: Selection,
    },
    /// Show what a unikernel wrote
    Console(ConsoleOptions),
    /// Try a plan of policies, unikernels and block devices, and show what would be admitted and what is left; changes nothing
    Preview(PreviewOptions),
    /// Write all policies, block devices and unikernels of the daemon as a snapshot, to preview on
    Snapshot {
        /// The file [default: standard output]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct ServeOptions {
    /// Where the daemon keeps its state
    #[arg(long, value_name = "DIR", default_value = "/var/lib/fulmar")]
    pub(super) state: PathBuf,

    /// The program that runs a unikernel [default: the `fulmar-tender` beside this program]
    #[arg(long, value_name = "PATH")]
    pub(super) tender: Option<PathBuf>,

    /// How much to log to standard error: error, warn, info, debug, trace or off
    #[arg(
        long,
        value_name = "LEVEL",
        env = "FULMAR_LOG",
        hide_env_values = true,
        default_value = "info"
    )]
    pub(super) log: LevelFilter,
}

#[derive(Debug, Args)]
pub(super) struct PolicyOptions {
    /// The domain, as `alice:bob`; `:` is the root
    pub(super) domain: Path,

    /// How many unikernels may run
    #[arg(long, value_name = "N", value_parser = value::amount, allow_negative_numbers = true)]
    unikernels: Amount,

    /// How much memory they may have, in MiB
    #[arg(long, alias = "mem", value_name = "MIB", value_parser = value::amount, allow_negative_numbers = true)]
    memory: Amount,

    /// How large block devices may be in all, in MiB; without it there may be none
    #[arg(long, value_name = "MIB", value_parser = value::amount, allow_negative_numbers = true)]
    block: Option<Amount>,

    /// The CPUs that may be used, as `0-3,8`; without it none
    #[arg(long, aliases = ["cpuid", "cpu"], value_name = "IDS", value_delimiter = ',', value_parser = value::cpus)]
    cpuids: Vec<CpuSet>,

    /// The bridges that may be used, as `service,dmz`; without it none
    #[arg(long, alias = "bridge", value_name = "NAMES", value_delimiter = ',', value_parser = Bridge::new)]
    bridges: Vec<Bridge>,
}

impl PolicyOptions {
    /// The policy that is meant.
    pub(super) fn policy(&self) -> Result<Policy, fulmar_core::BridgeError> {
        Ok(Policy {
            unikernels: self.unikernels,
            memory_mib: self.memory,
            block_mib: self.block,
            cpuids: union(&self.cpuids),
            bridges: BridgeSet::new(self.bridges.iter().cloned())?,
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct CreateOptions {
    /// Its name, as `alice:bob:web`
    pub(super) name: Name,

    /// The file of its image
    pub(super) image: PathBuf,

    /// Its memory, in MiB
    #[arg(
        long,
        alias = "mem",
        value_name = "MIB",
        default_value = "32",
        value_parser = value::amount,
        allow_negative_numbers = true
    )]
    memory: Amount,

    /// The CPUs it is pinned to, as `0` or `0-3,8`
    #[arg(
        long,
        aliases = ["cpuids", "cpu"],
        value_name = "IDS",
        default_value = "0",
        value_delimiter = ',',
        value_parser = value::cpus
    )]
    cpuid: Vec<CpuSet>,

    /// A block device: what the unikernel calls it, and what it is called on the host where that differs
    #[arg(long, value_name = "DEV[:HOST[:SECTOR]]", action = ArgAction::Append, value_parser = value::block_device)]
    block: Vec<BlockDevice>,

    /// A network device: what the unikernel calls it, and the host's bridge where that differs
    #[arg(long, value_name = "DEV[:BRIDGE][@MAC]", action = ArgAction::Append, value_parser = value::net_device)]
    net: Vec<NetDevice>,

    /// The unikernel's own arguments
    #[arg(last = true, value_name = "ARGS")]
    arguments: Vec<String>,
}

impl CreateOptions {
    /// How the unikernel is meant to be run.
    pub(super) fn config(&self) -> Result<UnikernelConfig, UnikernelError> {
        let unikernel = Unikernel::new(self.memory, union(&self.cpuid))?
            .with_block_devices(self.block.clone())?
            .with_bridges(self.net.clone())?;
        Ok(UnikernelConfig {
            unikernel,
            arguments: self.arguments.clone(),
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct ConsoleOptions {
    /// Its name
    pub(super) name: Name,

    /// Go on with the lines to come
    #[arg(long, short)]
    pub(super) follow: bool,

    /// How many of the last lines to begin with [default: all that are kept]
    #[arg(long, short = 'n', value_name = "N")]
    pub(super) lines: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct PreviewOptions {
    /// The file of the plan, in TOML
    pub(super) plan: PathBuf,

    /// Try it on a tree that `fulmar snapshot` wrote [default: an empty tree]
    #[arg(long, value_name = "SNAPSHOT")]
    pub(super) on: Option<PathBuf>,

    /// Try the steps after a refused one, too
    #[arg(long)]
    keep_going: bool,
}

impl PreviewOptions {
    pub(super) fn after_refusal(&self) -> AfterRefusal {
        match self.keep_going {
            true => AfterRefusal::GoOn,
            false => AfterRefusal::Stop,
        }
    }
}

fn union(sets: &[CpuSet]) -> CpuSet {
    sets.iter().flat_map(CpuSet::iter).collect()
}

#[cfg(test)]
mod tests;
