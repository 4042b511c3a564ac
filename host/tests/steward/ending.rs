//! Unikernels that end by themselves.

use std::time::Duration;

use fulmar_core::Amount;
use tokio::time::{Instant, sleep};

use crate::house::Closed;

#[tokio::test(flavor = "multi_thread")]
async fn the_console_says_how_it_ended_and_stays() {
    let house = Closed::new().open().await;
    for (argument, line) in [
        ("exit=0", "unikernel ended with status 0"),
        ("exit=3", "unikernel ended with status 3"),
        ("abort", "unikernel ended with status 255"),
        ("fault", "unikernel was killed by signal 11 (SIGSEGV)"),
        ("syscall", "unikernel was killed by signal 31 (SIGSYS)"),
    ] {
        let name = format!("alice:{}", argument.replace('=', "-"));
        house.create(&name, &[argument]).await.unwrap();
        let lines = house.console_with(&name, line).await;
        assert_eq!(lines[0], "hello from spt with 16 MiB of memory");
        assert_eq!(lines.last().unwrap(), line);
        house.none_left().await;
        house.closed.assert_empty();
    }
    assert_eq!(house.usage(":").await.unikernels, Amount::ZERO);
    // Those who come later read it still, and are told that nothing will follow.
    assert_eq!(house.console("alice:exit-3").await.len(), 3);
    house.create("alice:exit-3", &["tick=1000"]).await.unwrap();
    let lines = house.console_with("alice:exit-3", "tick 1").await;
    assert!(!lines.contains(&"unikernel ended with status 3".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_lines_holds_up_nobody() {
    let house = Closed::new().open().await;
    house.create("flood", &["tick=0"]).await.unwrap();
    sleep(Duration::from_millis(300)).await;
    let begin = Instant::now();
    house.create("quiet", &["exit=1"]).await.unwrap();
    house.console_with("quiet", "unikernel ended with status 1").await;
    assert_eq!(house.console("flood").await.len(), 1024);
    house.destroy("flood").await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}
