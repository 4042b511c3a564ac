//! The supervisor of one unikernel: reads its console and waits for its end.
//!
//! Owns the reading end. Does not decide what an end means: it tells how it came.

use std::io;
use std::sync::Arc;

use tokio::net::unix::pipe;

use crate::console::{Console, LineCutter};
use crate::launch::Running;
use crate::process::Ending;

/// One reading of a console; a pipe holds sixteen of these.
const READ_BYTES: usize = 4096;

/// Reads until the unikernel has ended, and says how it did.
pub(crate) async fn supervise(running: Running, console: Arc<Console>) -> Ending {
    let mut lines = LineCutter::default();
    let reading = async {
        let Err(error) = read(&running.console, &mut lines, &console).await;
        tracing::error!(%error, "cannot read a console");
        std::future::pending::<()>().await;
    };
    let ending = tokio::select! {
        ending = running.process.ended() => ending,
        () = reading => Ok(Ending::Unknown),
    };
    drain(&running.console, &mut lines, &console);
    if let Some(line) = lines.finish() {
        console.push(line);
    }
    ending.unwrap_or_else(|error| {
        tracing::error!(%error, "cannot wait for a process");
        Ending::Unknown
    })
}

/// Reads lines for ever: the daemon keeps the pipe open itself.
async fn read(
    pipe: &pipe::Receiver,
    lines: &mut LineCutter,
    console: &Console,
) -> Result<std::convert::Infallible, io::Error> {
    loop {
        pipe.readable().await?;
        match read_some(pipe, lines, console) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            outcome => outcome?,
        }
    }
}

/// Reads what was written last. Nobody writes any more; and the runtime may not have noticed yet that there is something.
fn drain(pipe: &pipe::Receiver, lines: &mut LineCutter, console: &Console) {
    let mut bytes = [0; READ_BYTES];
    while let Ok(length @ 1..) = rustix::io::read(pipe, &mut bytes) {
        lines.feed(&bytes[..length], |line| console.push(line));
    }
}

fn read_some(pipe: &pipe::Receiver, lines: &mut LineCutter, console: &Console) -> io::Result<()> {
    let mut bytes = [0; READ_BYTES];
    let length = pipe.try_read(&mut bytes)?;
    lines.feed(&bytes[..length], |line| console.push(line));
    Ok(())
}
