//! A share of a plan's jobs, for one of several machines.

use std::fmt;
use std::str::FromStr;

/// Shard `number` of `count`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    count: usize,
}

/// A shard cannot be told.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The environment says it, but not well.
    #[error("{name} is `{found}`, expected {expected}")]
    Variable {
        /// The variable.
        name: String,
        /// Its value.
        found: String,
        /// What would make sense.
        expected: &'static str,
    },
    /// The environment does not say how many there are.
    #[error("{index} says which shard this is, and nothing says how many there are")]
    Count {
        /// The variable that is there.
        index: &'static str,
    },
    /// Nobody says which it is.
    #[error("nothing says which shard this is")]
    Unknown,
}

impl Shard {
    /// Reads what a build farm says about this process.
    ///
    /// | farm | which | how many |
    /// |---|---|---|
    /// | any | `SEALIFT_SHARD=I/N` | the same |
    /// | Slurm array | `SLURM_ARRAY_TASK_ID`, from `SLURM_ARRAY_TASK_MIN` in steps of `SLURM_ARRAY_TASK_STEP` | `SEALIFT_SHARDS` (counted from 0), else `SLURM_ARRAY_TASK_COUNT` |
    /// | Kubernetes indexed job | `JOB_COMPLETION_INDEX`, from 0 | `SEALIFT_SHARDS` |
    /// | GitLab `parallel:` | `CI_NODE_INDEX`, from 1 | `CI_NODE_TOTAL` |
    ///
    /// # Errors
    /// Nothing is said, or nothing that makes sense.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let number = |name: &str, text: String| {
            let wrong = Error::Variable { name: name.to_owned(), found: text.clone(), expected: "a whole number" };
            text.parse::<usize>().map_err(|_| wrong)
        };
        let read = |name: &str| variable(name).map(|text| number(name, text)).transpose();
        let shards = |index| match read("SEALIFT_SHARDS")? {
            Some(count) => Ok(Some(count)),
            None if index == "SLURM_ARRAY_TASK_ID" => Ok(None),
            None => Err(Error::Count { index }),
        };
        let within = |name: &str, zero_based: usize, count: usize| match zero_based < count {
            true => Ok(Self { number: zero_based + 1, count }),
            false => Err(Error::Variable { name: name.to_owned(), found: variable(name).unwrap_or_default(), expected: "one of the shards there are" }),
        };
        if let Some(text) = variable("SEALIFT_SHARD") {
            let wrong = |_| Error::Variable { name: "SEALIFT_SHARD".into(), found: text.clone(), expected: "I/N, as in 1/4" };
            return text.parse().map_err(wrong);
        }
        if let Some(id) = read("SLURM_ARRAY_TASK_ID")? {
            const ID: &str = "SLURM_ARRAY_TASK_ID";
            if let Some(count) = shards(ID)? {
                return within(ID, id, count);
            }
            let count = read("SLURM_ARRAY_TASK_COUNT")?.ok_or(Error::Count { index: ID })?;
            let first = read("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
            let step = read("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
            return within(ID, id.saturating_sub(first) / step, count);
        }
        if let Some(index) = read("JOB_COMPLETION_INDEX")? {
            const INDEX: &str = "JOB_COMPLETION_INDEX";
            return within(INDEX, index, shards(INDEX)?.ok_or(Error::Count { index: INDEX })?);
        }
        if let Some(index) = read("CI_NODE_INDEX")? {
            const INDEX: &str = "CI_NODE_INDEX";
            let count = read("CI_NODE_TOTAL")?.ok_or(Error::Count { index: INDEX })?;
            return within(INDEX, index.wrapping_sub(1), count);
        }
        Err(Error::Unknown)
    }

    /// Which of the jobs with these costs are this shard's, in their order. Each job is one shard's, and the shards cost about the same.
    #[must_use]
    pub fn of(self, costs: &[u64]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..costs.len()).collect();
        order.sort_by_key(|job| (std::cmp::Reverse(costs[*job]), *job));
        let mut loads = vec![0_u64; self.count];
        let mut own = Vec::new();
        for job in order {
            // The least loaded one, of equals the first.
            let (place, load) = loads.iter_mut().enumerate().min_by_key(|(place, load)| (**load, *place)).expect("there is a shard");
            *load = load.saturating_add(costs[job]);
            if place + 1 == self.number {
                own.push(job);
            }
        }
        own.sort_unstable();
        own
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(number, count)| Some(Self { number: number.parse().ok()?, count: count.parse().ok()? }));
        let wrong = || format!("`{text}` is no shard: expected I/N, from 1/N to N/N");
        parsed.filter(|shard| (1..=MOST).contains(&shard.count) && (1..=shard.count).contains(&shard.number)).ok_or_else(wrong)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

/// More machines nobody has.
const MOST: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::{Error, Shard};

    fn shard(text: &str) -> Shard {
        text.parse().unwrap()
    }

    fn environment(pairs: &[(&str, &str)]) -> Result<String, Error> {
        let variable = |name: &str| pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        Shard::of_environment(variable).map(|shard| shard.to_string())
    }

    #[test]
    fn each_job_is_one_shards_and_shards_cost_about_the_same() {
        let costs: Vec<u64> = (0..240).map(|number| 1000 + number * number % 977).collect();
        for count in [1, 2, 3, 7, 240, 300] {
            let shares: Vec<_> = (1..=count).map(|number| shard(&format!("{number}/{count}")).of(&costs)).collect();
            let mut all: Vec<_> = shares.concat();
            all.sort_unstable();
            assert_eq!(all, (0..240).collect::<Vec<_>>(), "{count} shards");
            let loads: Vec<u64> = shares.iter().map(|share| share.iter().map(|job| costs[*job]).sum()).collect();
            assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 2000, "{loads:?}");
        }
    }

    #[test]
    fn every_farm_is_understood() {
        assert_eq!(environment(&[("SEALIFT_SHARD", "2/5"), ("CI_NODE_INDEX", "1")]).unwrap(), "2/5");
        let slurm = [("SLURM_ARRAY_TASK_ID", "7"), ("SLURM_ARRAY_TASK_COUNT", "4"), ("SLURM_ARRAY_TASK_MIN", "5")];
        assert_eq!(environment(&slurm).unwrap(), "3/4");
        let steps = [("SLURM_ARRAY_TASK_ID", "9"), ("SLURM_ARRAY_TASK_COUNT", "4"), ("SLURM_ARRAY_TASK_MIN", "5"), ("SLURM_ARRAY_TASK_STEP", "2")];
        assert_eq!(environment(&steps).unwrap(), "3/4");
        // One task of an array, run again alone, is the same shard as before where the count is given.
        let alone = [("SLURM_ARRAY_TASK_ID", "2"), ("SLURM_ARRAY_TASK_COUNT", "1"), ("SLURM_ARRAY_TASK_MIN", "2"), ("SEALIFT_SHARDS", "4")];
        assert_eq!(environment(&alone).unwrap(), "3/4");
        assert_eq!(environment(&[("JOB_COMPLETION_INDEX", "0"), ("SEALIFT_SHARDS", "3")]).unwrap(), "1/3");
        assert_eq!(environment(&[("CI_NODE_INDEX", "3"), ("CI_NODE_TOTAL", "3")]).unwrap(), "3/3");
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        assert_eq!(environment(&[]), Err(Error::Unknown));
        assert_eq!(environment(&[("JOB_COMPLETION_INDEX", "0")]), Err(Error::Count { index: "JOB_COMPLETION_INDEX" }));
        for pairs in [
            &[("SEALIFT_SHARD", "0/5")][..],
            &[("JOB_COMPLETION_INDEX", "3"), ("SEALIFT_SHARDS", "3")],
            &[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "3")],
            &[("SLURM_ARRAY_TASK_ID", "four"), ("SLURM_ARRAY_TASK_COUNT", "3")],
        ] {
            assert!(matches!(environment(pairs), Err(Error::Variable { .. })), "{pairs:?}");
        }
        for wrong in ["", "1", "0/1", "2/1", "1/0", "a/b", "1/2/3", "-1/2", "1/100001"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
