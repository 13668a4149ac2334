//! The command line: one variant a verb. Each verb's arguments are in its own file under [`cmd`].

use clap::{Parser, Subcommand};

use crate::cmd;

/// Makes, signs, approves, checks and applies firmware updates.
#[derive(Debug, Parser)]
#[command(name = "sealift", version, propagate_version = true, arg_required_else_help = true, max_term_width = 110, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 failed, 2 usage, 3 rejected (signature, approval, policy, rollback, wrong image).
An output file appears whole or not at all. `sealift VERB --help` explains each verb; `sealift demo` shows them all.";

/// The verbs.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "the documentation of each verb's arguments is its help")]
pub enum Verb {
    Demo(cmd::demo::Demo),
    Init(cmd::init::Init),
    Keygen(cmd::keygen::Keygen),
    Delta(cmd::delta::Delta),
    Apply(cmd::apply::Apply),
    Inspect(cmd::inspect::Inspect),
    Bundle(cmd::bundle::Bundle),
    Pack(cmd::pack::Pack),
    Work(cmd::work::WorkVerb),
    Sign(cmd::sign::Sign),
    Attach(cmd::attach::Attach),
    Approve(cmd::approve::Approve),
    Rebuild(cmd::rebuild::Rebuild),
    Refresh(cmd::refresh::Refresh),
    Rehearse(cmd::rehearse::Rehearse),
    Caps(cmd::caps::Caps),
    Select(cmd::select::Select),
    Trust(cmd::trust::Trust),
    Verify(cmd::verify::Verify),
    Serve(cmd::serve::Serve),
    Device(Box<cmd::device::Device>),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
