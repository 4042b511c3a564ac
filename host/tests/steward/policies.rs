//! Policies, with those that the host itself has.

use std::sync::Arc;

use fulmar::api::{Answer, Command, Failure, PolicyInfo};
use fulmar::host;
use fulmar::policy::Limits;
use fulmar_core::{CpuId, Policy, Usage};

use crate::house::{Closed, House, policy};

impl House {
    pub(crate) async fn policies(&self, domain: &str) -> Vec<PolicyInfo> {
        let domain = domain.parse().unwrap();
        match self.ask(Command::Policies { domain }).await.unwrap() {
            Answer::Policies(policies) => policies,
            other => panic!("answered by {other:?}"),
        }
    }

    pub(crate) async fn usage(&self, domain: &str) -> Usage {
        self.policies(domain).await.swap_remove(0).usage
    }

    async fn remove_policy(&self, domain: &str) -> Result<(), Failure> {
        let domain = domain.parse().unwrap();
        self.ask(Command::RemovePolicy { domain }).await.map(drop)
    }

    /// The domains with a policy, and how many unikernels each allows.
    async fn allowed(&self) -> Vec<(String, u64)> {
        let policies = self.policies(":").await.into_iter();
        policies
            .map(|info| (info.domain.to_string(), info.policy.unikernels.get()))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_given_listed_taken_away_and_kept() {
    let house = Closed::new().open().await;
    let host = host::policy(house.closed.path()).unwrap();
    let all = host.unikernels.get();
    house.add_policy("alice", policy(4)).await.unwrap();
    house.add_policy("alice:bob", policy(2)).await.unwrap();
    house.create("alice:bob:hello", &["tick=1000"]).await.unwrap();
    let listed = house.policies("alice:bob").await;
    assert_eq!((listed.len(), listed[0].usage.memory_mib), (1, 16.into()));

    let Err(Failure::Refused(reasons)) = house.add_policy("alice:bob", policy(5)).await else {
        panic!("wider than the policy above")
    };
    assert_eq!(reasons.len(), 1);
    let house = house.close().await.open().await;
    let expected = [(":", all), ("alice", 4), ("alice:bob", 2)].map(|(domain, allowed)| (domain.to_owned(), allowed));
    assert_eq!(house.allowed().await, expected);
    assert_eq!(house.usage("alice:bob").await.unikernels, 1.into());

    house.remove_policy("alice").await.unwrap();
    assert!(matches!(house.remove_policy("alice").await, Err(Failure::Refused(_))));
    assert_eq!(house.allowed().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_has_the_hosts_policy_where_it_has_no_other() {
    let house = Closed::new().open().await;
    let host = host::policy(house.closed.path()).unwrap();
    assert_eq!(house.policies(":").await[0].policy, host);
    assert_eq!(
        house.remove_policy(":").await,
        Err(Failure::Invalid(
            "the root's policy is what the host has, and stays: give the root another one to narrow it".to_owned()
        ))
    );
    house.add_policy(":", policy(1)).await.unwrap();
    let house = house.close().await.open().await;
    assert_eq!(house.policies(":").await[0].policy, policy(1));
    house.create("hello", &["tick=1000"]).await.unwrap();
    assert!(matches!(house.create("other", &[]).await, Err(Failure::Refused(_))));
    house.remove_policy(":").await.unwrap();
    assert_eq!(house.policies(":").await[0].policy, host);
    house.create("other", &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_shrank_starts_all_the_same() {
    let house = Closed::new().open().await;
    // More than any host has: as if half of it had been taken out since.
    let large = Policy {
        memory_mib: fulmar_core::Amount::MAX,
        ..policy(2)
    };
    house.add_policy(":", large.clone()).await.unwrap();
    house.add_policy("alice", large).await.unwrap();
    let Err(Failure::Refused(reasons)) = house.remove_policy(":").await else {
        panic!("the policy below is wider than the host")
    };
    assert_eq!(reasons.len(), 1);
    let house = house.close().await.open().await;
    assert_eq!(house.policies(":").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_breaks_the_rules_module_is_refused_and_nothing_is_forgotten() {
    let closed = Closed::new();
    let ledger = Arc::new(closed.ledger());
    // Enough for anything that people ask, not for 8192 CPUs.
    let limits = Limits {
        fuel_per_call: 1_000_000,
        ..Limits::default()
    };
    let house = closed.open_with(ledger, limits).await;
    house.add_policy("alice", policy(1)).await.unwrap();
    house.create("alice:hello", &["tick=1000"]).await.unwrap();
    let enormous = Policy {
        cpuids: (0..8192).map(|number| CpuId::new(number).unwrap()).collect(),
        ..policy(1)
    };
    let outcome = house.add_policy("bob", enormous).await;
    assert!(matches!(outcome, Err(Failure::NoVerdict(_))), "{outcome:?}");
    assert_eq!(house.allowed().await.len(), 2);
    assert_eq!(house.usage("alice").await.unikernels, 1.into());
    assert!(matches!(
        house.create("alice:other", &[]).await,
        Err(Failure::Refused(_))
    ));
    house.destroy("alice:hello").await.unwrap();
    house.create("alice:other", &[]).await.unwrap();
}
