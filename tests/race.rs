//! Many at once for the last slot: one wins.

use std::thread;

use fulmar_tests::host::{Host, first_cpu, hello, is_alive};

const CLIENTS: usize = 16;

#[test]
fn sixteen_clients_racing_for_the_last_slot_never_win_twice() {
    let host = Host::start();
    let (cpu, image) = (first_cpu(), hello());
    let image = image.to_str().expect("a path in UTF-8");
    for domain in ["alice", "alice:bob", "alice:charlie"] {
        host.fulmar([
            "add-policy",
            domain,
            "--unikernels",
            "2",
            "--memory",
            "256",
            "--cpuids",
            &cpu,
        ])
        .done();
    }
    host.fulmar(["create", "alice:bob:first", image, "--cpuid", &cpu, "--", "tick=1000"])
        .done();

    for round in 0..3 {
        let replies: Vec<_> = thread::scope(|scope| {
            let race = |client: usize| {
                let domain = ["alice:bob", "alice:charlie"][client % 2];
                let name = format!("{domain}:r{round}c{client}");
                let (host, cpu) = (&host, cpu.as_str());
                scope.spawn(move || {
                    (
                        host.fulmar(["create", &name, image, "--cpuid", cpu, "--json", "--", "tick=1000"]),
                        name,
                    )
                })
            };
            let clients: Vec<_> = (0..CLIENTS).map(race).collect();
            clients
                .into_iter()
                .map(|client| client.join().expect("a reply"))
                .collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(|(reply, _)| reply.code == Some(0));
        assert_eq!(won.len(), 1, "{won:?}");
        for (reply, _) in &lost {
            let codes: Vec<_> = reply.reasons().into_iter().map(|(code, _)| code).collect();
            assert!(codes.contains(&"exceeds-unikernels".to_owned()), "{reply:?}");
        }
        let processes = host.processes();
        assert_eq!(processes.len(), 2, "{processes:?}");
        assert!(processes.iter().all(|(_, pid)| is_alive(*pid)));
        host.fulmar(["destroy", &won[0].1]).done();
    }
}
