//! The `sealift` command. Everything it does is in the library beside it.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = sealift::cli::Cli::parse();
    match sealift::cmd::run(&cli.verb) {
        Ok(()) => sealift::exit::Code::Done.into(),
        Err(error) => sealift::exit::report(&error).into(),
    }
}
