//! Lists and fetches the corpus.

use std::error::Error as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sealift_testdata::corpus::{built, corpus, corpus_pair};
use sealift_testdata::fetch::{Outcome, fetch};

/// Test data of Sealift.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Gets pairs through npm, pip, apt-get and cargo, and verifies them
    Fetch {
        /// Names of pairs; all that packages hold when none is given
        pairs: Vec<String>,
    },
    /// Names the pairs
    List,
}

fn main() -> ExitCode {
    match Arguments::parse().verb {
        Verb::Fetch { pairs } if pairs.is_empty() => fetch_all(&corpus().into_iter().map(|pair| pair.name).collect::<Vec<_>>()),
        Verb::Fetch { pairs } => fetch_all(&pairs),
        Verb::List => {
            list();
            ExitCode::SUCCESS
        }
    }
}

fn fetch_all(names: &[String]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for name in names {
        match fetch(name) {
            Ok(Outcome::AlreadyThere) => println!("{name}: there, verified"),
            Ok(Outcome::Fetched) => println!("{name}: fetched, verified"),
            Err(error) => {
                eprintln!("{name}: {error}");
                let mut cause = error.source();
                while let Some(source) = cause {
                    eprintln!("  because: {source}");
                    cause = source.source();
                }
                eprintln!("  what to do: {}", error.hint());
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

fn list() {
    for pair in corpus() {
        let mark = if corpus_pair(&pair.name).is_some() { '*' } else { ' ' };
        println!("{mark} {:26} {:8} {:>9} -> {:>9}  {}", pair.name, pair.isa, pair.old.size, pair.new.size, pair.what);
    }
    for pair in built() {
        println!("- {:26} {:8} {:>9} -> {:>9}  {}", pair.name, pair.isa, pair.old.size, pair.new.size, pair.what);
    }
    println!("\n* is on this machine, verified; - must be built, `fetch` cannot");
}
