//! The command line: words to requests, answers to text.
//!
//! Owns the order of things and what goes to which stream: answers to standard output, why not to standard error; with `--json`
//! both to standard output. [`options`] owns the words, [`show`] what a person sees, [`blame`] how a failure reads, [`exit`]
//! the codes. [`preview`] asks nobody but the rules.

mod blame;
mod exit;
mod image;
mod log;
mod options;
mod preview;
mod show;
mod snapshot;
mod table;
mod value;

use std::io::{self, Write};
use std::path::{Path as FilePath, PathBuf};
use std::time::SystemTime;

use clap::Parser;
use fulmar::api::UnikernelInfo;
use fulmar::client::{Client, ClientError};
use fulmar::daemon;
use fulmar::door::{Code, Policies, Problem, Unikernels};
use serde::Serialize;

use exit::Exit;
use options::{Action, Ask, ConsoleOptions, CreateOptions, Options, ServeOptions};

/// Where the daemon listens where nobody says otherwise.
const SOCKET: &str = "/var/lib/fulmar/fulmar.sock";

/// Does what the command line says.
pub(crate) fn run() -> Exit {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => return complain_of_words(&error),
    };
    match options.action {
        Action::Serve(_) if options.json => complain_of_words(&Options::no_json()),
        Action::Serve(serve) => run_daemon(options.socket, serve),
        Action::Ask(ask) => run_client(options.socket.as_deref(), options.json, &ask),
    }
}

/// Says what clap has to say: what is wrong with the words, or the help that they ask for.
fn complain_of_words(error: &clap::Error) -> Exit {
    // Where the stream is closed, there is nobody to tell.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

fn run_daemon(socket: Option<PathBuf>, options: ServeOptions) -> Exit {
    log::to_standard_error(options.log);
    let options = daemon::DaemonOptions {
        state: options.state,
        socket,
        tender: options.tender,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime
            .block_on(daemon::run(options))
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match outcome {
        Ok(()) => Exit::Done,
        Err(message) => complain(&message),
    }
}

/// Says on standard error what no answer can say.
fn complain(message: &str) -> Exit {
    let _ = writeln!(io::stderr(), "fulmar: {message}");
    Exit::Failed
}

fn run_client(socket: Option<&FilePath>, json: bool, ask: &Ask) -> Exit {
    let client = Client::new(socket.unwrap_or(FilePath::new(SOCKET)));
    let outcome = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(perform(&client, json, ask)),
        Err(error) => Err(Problem::new(Code::Failed, error.to_string()).into()),
    };
    match outcome {
        Ok(exit) => exit,
        Err(Stop::Problem(problem)) => {
            blame::tell(&problem, ask, json);
            problem.code.into()
        }
        // `fulmar info | head`: the reader has what it wanted.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(Stop::Output(error)) => complain(&format!("cannot write the answer: {error}")),
    }
}

/// Why a command did not come to its end.
enum Stop {
    /// It was not done.
    Problem(Problem),
    /// The answer could not be written.
    Output(io::Error),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        Self::Problem(error.into_problem())
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Asks, and prints the answer. What is answered is not always what was hoped for: the exit code says.
async fn perform(client: &Client, json: bool, ask: &Ask) -> Result<Exit, Stop> {
    match ask {
        Ask::AddPolicy(options) => {
            let policy = options.policy().map_err(Problem::invalid)?;
            client.add_policy(&options.domain, &policy).await?;
            print(json, &Done {}, || show::policy_added(&options.domain, &policy))?;
        }
        Ask::RemovePolicy { domain } => {
            client.remove_policy(domain).await?;
            print(json, &Done {}, || show::policy_removed(domain))?;
        }
        Ask::Policy { domain } => {
            let policies = client.policies(domain).await?;
            let answer = Policies { policies };
            print(json, &answer, || show::policies(domain, &answer.policies))?;
        }
        Ask::Create(options) => {
            let created = create(client, options).await?;
            print(json, &created, || show::created(&created))?;
        }
        Ask::Destroy { name } => {
            client.destroy(name).await?;
            print(json, &Done {}, || show::destroyed(name))?;
        }
        Ask::Info { selection } => {
            let unikernels = client.unikernels(selection).await?;
            let answer = Unikernels { unikernels };
            print(json, &answer, || {
                show::unikernels(&answer.unikernels, SystemTime::now())
            })?;
        }
        Ask::Console(options) => console(client, json, options).await?,
        Ask::Preview(options) => return preview::run(json, options),
        Ask::Snapshot { file } => snapshot::take(client, json, file.as_deref()).await?,
    }
    Ok(Exit::Done)
}

/// What a command answers that only does something.
#[derive(Serialize)]
struct Done {}

async fn create(client: &Client, options: &CreateOptions) -> Result<UnikernelInfo, Stop> {
    let config = options.config().map_err(Problem::invalid)?;
    let image = image::read(&options.image)?;
    Ok(client.create(&options.name, &config, &image).await?)
}

async fn console(client: &Client, json: bool, options: &ConsoleOptions) -> Result<(), Stop> {
    let mut console = client.console(&options.name, options.follow, options.lines).await?;
    while let Some(record) = console.next().await? {
        print(json, &record, || show::console_record(&record))?;
    }
    Ok(())
}

/// Prints an answer: as one line of JSON, or as text. A whole answer at a time, so that a console that is followed is seen.
fn print(json: bool, answer: &impl Serialize, text: impl FnOnce() -> String) -> io::Result<()> {
    let text = if json { one_line(answer) } else { text() };
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn one_line(answer: &impl Serialize) -> String {
    let json = serde_json::to_string(answer).expect("every answer can be written as JSON");
    json + "\n"
}
