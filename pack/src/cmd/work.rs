//! `sealift work`

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::farm::{self, WorkArgs};
use super::{Answer, read};
use crate::exit::{Advised, Usage};
use crate::interrupt;
use crate::progress::Board;
use crate::release::pipeline;
use crate::release::plan::{self, Plan};
use crate::release::shard::{self, Shard};

/// Makes the patches of a share of a plan, into a cache that other machines see: what `sealift pack --plan` wrote, for `sealift pack --assemble`.
///
/// A patch that is there already is checked and not made again, so a shard may be run twice, or anew after it was killed. It needs no key. The shard is taken from
/// the build farm's own variables when it is not given: SEALIFT_SHARD=I/N; a Slurm array; a Kubernetes indexed job, with SEALIFT_SHARDS; GitLab's `parallel`.
/// Where SEALIFT_CACHE_SECRET is the same here and for `pack --assemble`, patches are not installed once more there.
#[derive(Debug, Args)]
pub struct WorkVerb {
    /// The plan. Paths of images in it count from its folder.
    plan: PathBuf,
    /// Which share to make: I of N, counted from 1.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Where patches are kept: a folder that all machines share, or s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH.
    #[arg(long, value_name = "DIR|URL")]
    cache: String,
    #[command(flatten)]
    work: WorkArgs,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &WorkVerb) -> anyhow::Result<()> {
    let plan = parse(&args.plan)?;
    let shard = match args.shard {
        Some(shard) => shard,
        None => Shard::of_environment(|name| env::var(name).ok()).map_err(no_shard)?,
    };
    let jobs = plan.jobs(folder_of(&args.plan)).map_err(refused)?;
    let costs: Vec<u64> = plan.jobs.iter().map(|job| job.cost).collect();
    let own: Vec<_> = shard.of(&costs).into_iter().map(|job| jobs[job].clone()).collect();
    let mut work = args.work.work(Some(farm::open(&args.cache)?));
    work.must_keep = true;
    interrupt::end_in_order("interrupted: what is finished is in the cache; run the same shard again to go on")?;
    let board = Board::new("patches");
    let there = pipeline::patches(&own, &work, &|event| farm::tell(&board, event))?;
    drop(board);
    let (all, made) = (own.len(), own.len() - there);
    Answer::new(args.json)
        .json(json!({ "shard": shard.to_string(), "patches": own.iter().map(|job| &job.name).collect::<Vec<_>>(), "made": made, "there": there }))
        .text(format_args!("shard {shard}: {all} of {} patches; {made} made, {there} were there", jobs.len()))
        .print()
}

/// Reads a plan.
pub(super) fn parse(path: &Path) -> anyhow::Result<Plan> {
    Plan::parse(&read(path, "plan")?).map_err(refused).with_context(|| format!("{} was refused", path.display()))
}

pub(super) fn refused(error: plan::Error) -> anyhow::Error {
    let hint = error.hint().unwrap_or_default();
    Advised { what: "the plan cannot be used".into(), hint, source: Some(error.into()) }.into()
}

/// The folder that paths in a plan count from.
pub(super) fn folder_of(plan: &Path) -> &Path {
    plan.parent().unwrap_or(Path::new(""))
}

fn no_shard(error: shard::Error) -> anyhow::Error {
    Usage { what: error.to_string(), hint: "give --shard I/N, or let the build farm say it: `sealift work --help` names the variables".into() }.into()
}
