// Made from the Rust types, do not edit: `ACCEPT=1 cargo test -p fulmar-tests --test types` writes it anew.
// A type with `Asked` at its end may leave fields out that are always there in an answer.

/** What a plan does after a refusal. */
export type AfterRefusal =
  /** It tries the steps that follow, without the refused one. */
  | "go_on"
  /** It tries none of them. */
  | "stop";

/** A count or a size in MiB, at most `Amount::MAX`. */
export type Amount = number;

/** A block device of a domain. */
export interface Block {
  /** Its size. */
  size_mib: BlockSize;
  /** The unikernel of the same domain that uses it: then the block device is *active*, and no other may. */
  user: Label | null;
}

/** A block device of a unikernel, and the block device of its domain that stands behind it. */
export interface BlockDevice {
  device: DeviceName;
  host: Label | null;
  sector_size: SectorSize | null;
}

/** A block device of a unikernel, and the block device of its domain that stands behind it. */
export interface BlockDeviceAsked {
  device: DeviceName;
  host?: Label | null;
  sector_size?: SectorSize | null;
}

/** The size of a block device in MiB, at least 1. */
export type BlockSize = number;

/** The name of a bridge: 1 to 15 characters out of `a-z A-Z 0-9 - . _`, the first one neither `-` nor `.`; capitals count. */
export type Bridge = string;

/** At most `BRIDGES_MAX` bridges, in alphabetical order. */
export type BridgeSet = Bridge[];

/** What may be chosen from. */
export interface ChoiceOfBridgeSet {
  /** What every policy allows. None where there is no policy on the chain: then it is anything. */
  allowed: BridgeSet | null;
  /** The domains whose policies leave something out that the nearer ones allow: first the nearest that has a policy, then upwards. More than that one only where a policy is wider than one above, which only loaded facts can bring. */
  bound_by: Path[];
}

/** What may be chosen from. */
export interface ChoiceOfCpuSet {
  /** What every policy allows. None where there is no policy on the chain: then it is anything. */
  allowed: CpuSet | null;
  /** The domains whose policies leave something out that the nearer ones allow: first the nearest that has a policy, then upwards. More than that one only where a policy is wider than one above, which only loaded facts can bring. */
  bound_by: Path[];
}

/** One CPU of the host, numbered as the operating system numbers them: 0 to `CpuId::MAX`. */
export type CpuId = number;

/** A set of CPU ids. Written in ascending order, runs shortened: `0-3, 8`. */
export type CpuSet = CpuId[];

/** A block or network device as the unikernel's manifest names it: 1 to 67 characters out of `a-z A-Z 0-9`; capitals count. */
export type DeviceName = string;

/** Everything about one domain, but not about those below it. */
export interface DomainReport {
  /** Where it is. */
  domain: Path;
  /** Its own policy. */
  policy: Policy | null;
  /** What it and everything below it use. */
  usage: Usage;
  /** What still fits in it. */
  headroom: Headroom;
  /** What it handed on. */
  handed_on: HandedOn;
  /** Its own block devices, by name. */
  blocks: NamedBlock[];
  /** Its own unikernels, by name. */
  unikernels: NamedUnikernel[];
}

/** A reason or a finding, for machines and for people. */
export interface ExplainedFinding {
  /** The stable code, see `Reason::code` and `Finding::code`. */
  code: string;
  /** One sentence. */
  sentence: string;
  /** The facts and figures. */
  reason: Finding;
}

/** A reason or a finding, for machines and for people. */
export interface ExplainedReason {
  /** The stable code, see `Reason::code` and `Finding::code`. */
  code: string;
  /** One sentence. */
  sentence: string;
  /** The facts and figures. */
  reason: Reason;
}

/** One thing that a tree holds. */
export type Fact =
  /** A domain has a policy. */
  | {
    policy: {
      /** The domain. */
      domain: Path;
      /** Its policy. */
      policy: Policy;
    };
  }
  /** There is a block device. */
  | {
    block: {
      /** Its name. */
      name: Name;
      /** Its size. */
      size_mib: BlockSize;
    };
  }
  /** A unikernel runs. */
  | {
    unikernel: {
      /** Its name. */
      name: Name;
      /** Its footprint. */
      unikernel: Unikernel;
    };
  };

/** One thing that a tree holds. */
export type FactAsked =
  /** A domain has a policy. */
  | {
    policy: {
      /** The domain. */
      domain: Path;
      /** Its policy. */
      policy: PolicyAsked;
    };
  }
  /** There is a block device. */
  | {
    block: {
      /** Its name. */
      name: Name;
      /** Its size. */
      size_mib: BlockSize;
    };
  }
  /** A unikernel runs. */
  | {
    unikernel: {
      /** Its name. */
      name: Name;
      /** Its footprint. */
      unikernel: UnikernelAsked;
    };
  };

/** One limit that does not hold. */
export type Finding =
  /** A domain and everything below it use more than its policy allows. */
  | {
    uses: {
      /** The domain. */
      domain: Path;
      /** The limit. */
      overrun: Overrun;
    };
  }
  /** A policy is wider than one above it. */
  | {
    wider: {
      /** The domain with the wider policy. */
      domain: Path;
      /** The nearest domain above that has a policy. */
      above: Path;
      /** The limit. */
      overrun: Overrun;
    };
  };

/** What a domain handed on: the policies right below it, added up. A policy below another one below it is that one's affair. */
export interface HandedOn {
  /** How many policies there are right below. */
  policies: number;
  /** The sum of their unikernels. This and the other sums end at `Amount::MAX`. */
  unikernels: Amount;
  /** The sum of their memory, in MiB. */
  memory_mib: Amount;
  /** The sum of their block storage, in MiB. */
  block_mib: Amount;
  /** How many of them allow each CPU. */
  cpuids: { [key: string]: number };
  /** How many of them allow each bridge. */
  bridges: { [key: string]: number };
  /** The sums that are larger than the domain's own limit, where it has a policy: what was handed on cannot all be used at the same time. */
  oversubscribed: Overrun[];
}

/** What still fits in a domain, limit by limit. */
export interface Headroom {
  /** How many more unikernels. */
  unikernels: Room;
  /** How much more memory, in MiB. */
  memory_mib: Room;
  /** How much more block storage, in MiB; 0 where a policy allows no block device. */
  block_mib: Room;
  /** The CPUs that every policy allows. */
  cpuids: ChoiceOfCpuSet;
  /** The bridges that every policy allows. */
  bridges: ChoiceOfBridgeSet;
}

/** One step of a path: 1 to 63 characters out of `a-z 0-9 - .`, the first one not `-`. Capitals are accepted and stored as small letters. */
export type Label = string;

/** An Ethernet address, written `aa:bb:cc:dd:ee:ff`. */
export type Mac = string;

/** A unikernel or a block device: a label within a domain. Ordered by domain, then by label. */
export type Name = string;

/** A block device and its name. */
export interface NamedBlock {
  /** Its name. */
  name: Name;
  /** Its size, and who uses it. */
  block: Block;
}

/** A unikernel and its name. */
export interface NamedUnikernel {
  /** Its name. */
  name: Name;
  /** Its footprint. */
  unikernel: Unikernel;
}

/** A network device of a unikernel, and the bridge that it is attached to. */
export interface NetDevice {
  device: DeviceName;
  bridge: Bridge | null;
  mac: Mac | null;
}

/** A network device of a unikernel, and the bridge that it is attached to. */
export interface NetDeviceAsked {
  device: DeviceName;
  bridge?: Bridge | null;
  mac?: Mac | null;
}

/** A limit that is exceeded: for amounts `used` + `asked` is more than `allowed`; for sets `denied` is asked but not allowed. */
export type Overrun =
  /** Too many unikernels. */
  | {
    unikernels: {
      /** How many may run. */
      allowed: Amount;
      /** How many do. */
      used: Amount;
      /** How many more are asked for. */
      asked: Amount;
    };
  }
  /** Too much memory. */
  | {
    memory: {
      /** The limit, in MiB. */
      allowed_mib: Amount;
      /** What is taken of it. */
      used_mib: Amount;
      /** What is asked for. */
      asked_mib: Amount;
    };
  }
  /** Too much block storage. */
  | {
    block: {
      /** The limit, in MiB; none allows no block device at all. */
      allowed_mib: Amount | null;
      /** What is taken of it. */
      used_mib: Amount;
      /** What is asked for. */
      asked_mib: Amount;
    };
  }
  /** CPUs that may not be used. */
  | {
    cpuids: {
      /** The ones that may. */
      allowed: CpuSet;
      /** The ones that were asked for and may not. */
      denied: CpuSet;
    };
  }
  /** Bridges that may not be used. */
  | {
    bridges: {
      /** The ones that may. */
      allowed: BridgeSet;
      /** The ones that were asked for and may not; the first `BRIDGES_MAX`(crate::BRIDGES_MAX) of them. */
      denied: BridgeSet;
    };
  };

/** A domain: the labels from the root down to it. The empty path is the root. */
export type Path = string;

/** What a domain and everything below it may use in all (Albatross: `Vmm_core.Policy`). */
export interface Policy {
  /** How many unikernels may run. */
  unikernels: Amount;
  /** How much memory they may have, in MiB. */
  memory_mib: Amount;
  /** How large block devices may be in all, in MiB, attached or not; without it there may be none. */
  block_mib: Amount | null;
  /** The CPUs that may be used. */
  cpuids: CpuSet;
  /** The host's bridges that may be used. */
  bridges: BridgeSet;
}

/** What a domain and everything below it may use in all (Albatross: `Vmm_core.Policy`). */
export interface PolicyAsked {
  /** How many unikernels may run. */
  unikernels: Amount;
  /** How much memory they may have, in MiB. */
  memory_mib: Amount;
  /** The CPUs that may be used. */
  cpuids: CpuSet;
  /** The host's bridges that may be used. */
  bridges: BridgeSet;
  /** How large block devices may be in all, in MiB, attached or not; without it there may be none. */
  block_mib?: Amount | null;
}

/** One reason for a refusal. Sentences have no capital and no full stop: they fit behind "refused: ". */
export type Reason =
  /** There is a unikernel of this name already. */
  | {
    unikernel_exists: {
      /** Its name. */
      name: Name;
    };
  }
  /** There is no unikernel of this name. */
  | {
    unikernel_unknown: {
      /** The name. */
      name: Name;
    };
  }
  /** There is a block device of this name already. */
  | {
    block_exists: {
      /** Its name. */
      name: Name;
    };
  }
  /** There is no block device of this name. */
  | {
    block_unknown: {
      /** The name. */
      name: Name;
    };
  }
  /** A unikernel uses this block device. */
  | {
    block_active: {
      /** The block device. */
      name: Name;
      /** The unikernel. */
      user: Name;
    };
  }
  /** A unikernel lists this block device more than once. */
  | {
    block_twice: {
      /** The block device. */
      name: Name;
    };
  }
  /** The domain has no policy of its own. */
  | {
    policy_unknown: {
      /** The domain. */
      domain: Path;
    };
  }
  /** The request does not fit under the policy of `domain`, the request's own domain or one above it. */
  | {
    exceeds: {
      /** The domain whose policy it is. */
      domain: Path;
      /** The limit. */
      overrun: Overrun;
    };
  }
  /** The new policy allows less than what `domain` and everything below it already use. */
  | {
    in_use: {
      /** The domain of the new policy. */
      domain: Path;
      /** The limit. */
      overrun: Overrun;
    };
  }
  /** The new policy is wider than the one of `above`. */
  | {
    wider: {
      /** A domain above the new policy's. */
      above: Path;
      /** The limit. */
      overrun: Overrun;
    };
  }
  /** The new policy is narrower than the one of `below`. */
  | {
    narrower: {
      /** A domain below the new policy's. */
      below: Path;
      /** The limit. */
      overrun: Overrun;
    };
  }
  /** The sum over the whole tree would be larger than any `Amount`. */
  | "uncountable";

/** What can be asked of a tree. */
export type Request =
  /** May this unikernel be created? Answered by `admitted` or `refused`, as all checks, inserts and removals. */
  | {
    check_unikernel: {
      /** Its name. */
      name: Name;
      /** Its footprint. */
      unikernel: UnikernelAsked;
    };
  }
  /** Count this unikernel in, if it may be created. */
  | {
    insert_unikernel: {
      /** Its name. */
      name: Name;
      /** Its footprint. */
      unikernel: UnikernelAsked;
    };
  }
  /** Take a unikernel out. */
  | {
    remove_unikernel: {
      /** Its name. */
      name: Name;
    };
  }
  /** May this block device be created? */
  | {
    check_block: {
      /** Its name. */
      name: Name;
      /** Its size. */
      size_mib: BlockSize;
    };
  }
  /** Count this block device in, if it may be created. */
  | {
    insert_block: {
      /** Its name. */
      name: Name;
      /** Its size. */
      size_mib: BlockSize;
    };
  }
  /** Take a block device out. */
  | {
    remove_block: {
      /** Its name. */
      name: Name;
    };
  }
  /** May the domain be given this policy? */
  | {
    check_policy: {
      /** The domain. */
      domain: Path;
      /** Its new policy. */
      policy: PolicyAsked;
    };
  }
  /** Give the domain this policy, if it may have it. */
  | {
    insert_policy: {
      /** The domain. */
      domain: Path;
      /** Its new policy. */
      policy: PolicyAsked;
    };
  }
  /** Take a domain's policy away. */
  | {
    remove_policy: {
      /** The domain. */
      domain: Path;
    };
  }
  /** Answered by `unikernel`. */
  | {
    find_unikernel: {
      /** Its name. */
      name: Name;
    };
  }
  /** Answered by `block`. */
  | {
    find_block: {
      /** Its name. */
      name: Name;
    };
  }
  /** Answered by `policy`. */
  | {
    find_policy: {
      /** The domain. */
      domain: Path;
    };
  }
  /** What do a domain and everything below it use? Answered by `usage`. */
  | {
    usage: {
      /** The domain. */
      domain: Path;
    };
  }
  /** Put known facts back, in this order, whatever the limits. Answered by `admitted`; or by `refused` at the first one whose name forbids it: those before it are then loaded. */
  | {
    load: {
      /** The facts. */
      facts: FactAsked[];
    };
  }
  /** What still fits in a domain? Answered by `headroom`. */
  | {
    headroom: {
      /** The domain. */
      domain: Path;
    };
  }
  /** How many unikernels of this footprint still fit in a domain? Answered by `fit`. */
  | {
    how_many_fit: {
      /** The domain. */
      domain: Path;
      /** The footprint; its block devices are left aside. */
      unikernel: UnikernelAsked;
    };
  }
  /** What did a domain hand on? Answered by `handed_on`. */
  | {
    handed_on: {
      /** The domain. */
      domain: Path;
    };
  }
  /** A domain and everything below it. Answered by `domains`. */
  | {
    walk: {
      /** The domain. */
      domain: Path;
    };
  }
  /** Where is a limit broken? Answered by `audit`. */
  | {
    audit: Record<string, never>;
  }
  /** Try steps in order and take them back again. Answered by `plan`; the tree is not changed. */
  | {
    plan: {
      /** The steps. */
      steps: Step[];
      /** Whether the steps after a refused one are tried. */
      after_refusal: AfterRefusal;
      /** The domain that is shown as it would be afterwards, with everything below it. */
      look_at: Path;
    };
  }
  /** Everything that the tree holds. Answered by `snapshot`. */
  | {
    snapshot: Record<string, never>;
  }
  /** Replace everything that the tree holds. Answered by `admitted`; or by `refused` where the facts contradict each other: then nothing is changed. */
  | {
    restore: {
      /** What another tree, or this one earlier, answered to `snapshot`. */
      snapshot: SnapshotAsked;
    };
  };

/** What a tree answers. */
export type Response =
  /** It fits; what was to be changed is changed. */
  | {
    admitted: Record<string, never>;
  }
  /** It does not; nothing is changed. */
  | {
    refused: {
      /** Every reason, at least one, in the order of `Refusal`(crate::Refusal). */
      reasons: ExplainedReason[];
    };
  }
  /** The unikernel, if there is one. */
  | {
    unikernel: {
      /** Its footprint. */
      unikernel: Unikernel | null;
    };
  }
  /** The block device, if there is one. */
  | {
    block: {
      /** Its size, and the unikernel that uses it. */
      block: Block | null;
    };
  }
  /** The domain's own policy, if it has one. */
  | {
    policy: {
      /** The policy. */
      policy: Policy | null;
    };
  }
  /** What the domain and everything below it use. */
  | {
    usage: {
      /** The sums. */
      usage: Usage;
    };
  }
  /** What still fits. */
  | {
    headroom: {
      /** Limit by limit. */
      headroom: Headroom;
    };
  }
  /** How many fit. */
  | {
    fit: {
      /** That many, one after the other. */
      count: Amount;
      /** Why one more would then be refused. */
      then: ExplainedReason[];
    };
  }
  /** What was handed on. */
  | {
    handed_on: {
      /** The sums. */
      handed_on: HandedOn;
    };
  }
  /** The domains, each right before those below it. */
  | {
    domains: {
      /** None where there is no such domain. */
      domains: DomainReport[];
    };
  }
  /** The limits that do not hold. */
  | {
    audit: {
      /** None where everything is in order. */
      findings: ExplainedFinding[];
    };
  }
  /** What a plan comes to. */
  | {
    plan: {
      /** A verdict for each step. */
      verdicts: StepVerdict[];
      /** The domains looked at, as they would be afterwards. */
      domains: DomainReport[];
    };
  }
  /** Everything that the tree holds. */
  | {
    snapshot: {
      /** To be kept, or restored elsewhere. */
      snapshot: Snapshot;
    };
  }
  /** The bytes were no request, or their answer would be too long. Only a face that decodes bytes answers this. */
  | {
    malformed: {
      /** What was wrong with them. */
      message: string;
    };
  };

/** What is left of an amount. */
export interface Room {
  /** How much; 0 where more is used than allowed (see `Tree::audit`). */
  free: Amount;
  /** The domain whose policy leaves no more than that: of several the nearest. None where there is no policy on the chain: then it is all that can be counted. */
  bound_by: Path | null;
}

/** The unit, in bytes, in which a unikernel reads and writes a block device: a power of two, 512 to 32768 (the manifest keeps it in 16 bits). */
export type SectorSize = number;

/** Everything that a tree holds. Its first field says how to read the rest, in every encoding. */
export interface Snapshot {
  /** How the facts are written. */
  version: SnapshotVersion;
  /** The facts, in an order in which they can be loaded. */
  facts: Fact[];
}

/** Everything that a tree holds. Its first field says how to read the rest, in every encoding. */
export interface SnapshotAsked {
  /** How the facts are written. */
  version: SnapshotVersion;
  /** The facts, in an order in which they can be loaded. */
  facts: FactAsked[];
}

/** A version of snapshots that can be read: so far there is one, 1. */
export type SnapshotVersion = number;

/** One change that a plan tries. */
export type Step =
  /** `Tree::insert_policy`. */
  | {
    insert_policy: {
      /** The domain. */
      domain: Path;
      /** Its new policy. */
      policy: PolicyAsked;
    };
  }
  /** `Tree::remove_policy`. */
  | {
    remove_policy: {
      /** The domain. */
      domain: Path;
    };
  }
  /** `Tree::insert_unikernel`. */
  | {
    insert_unikernel: {
      /** Its name. */
      name: Name;
      /** Its footprint. */
      unikernel: UnikernelAsked;
    };
  }
  /** `Tree::remove_unikernel`. */
  | {
    remove_unikernel: {
      /** Its name. */
      name: Name;
    };
  }
  /** `Tree::insert_block`. */
  | {
    insert_block: {
      /** Its name. */
      name: Name;
      /** Its size. */
      size_mib: BlockSize;
    };
  }
  /** `Tree::remove_block`. */
  | {
    remove_block: {
      /** Its name. */
      name: Name;
    };
  };

/** What became of a step of a plan. */
export type StepVerdict =
  /** It fits. */
  | {
    admitted: Record<string, never>;
  }
  /** It does not. */
  | {
    refused: {
      /** Every reason, at least one. */
      reasons: ExplainedReason[];
    };
  }
  /** A step before was refused, and the plan stopped there. */
  | {
    not_tried: Record<string, never>;
  };

/** What a unikernel takes of the host while it runs. */
export interface Unikernel {
  memory_mib: Amount;
  cpuids: CpuSet;
  block_devices: BlockDevice[];
  bridges: NetDevice[];
}

/** What a unikernel takes of the host while it runs. */
export interface UnikernelAsked {
  memory_mib: Amount;
  cpuids: CpuSet;
  block_devices?: BlockDeviceAsked[];
  bridges?: NetDeviceAsked[];
}

/** What a subtree takes. */
export interface Usage {
  /** How many unikernels run. */
  unikernels: Amount;
  /** Their memory, in MiB. */
  memory_mib: Amount;
  /** The block devices, attached or not, in MiB. */
  block_mib: Amount;
  /** By how many unikernels each CPU is used; a CPU without any is not listed. */
  cpuids: { [key: string]: number };
  /** By how many network devices each bridge is used; a bridge without any is not listed. */
  bridges: { [key: string]: number };
}
