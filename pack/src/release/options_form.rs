//! The generator's options written down: in plans, and in the keys of the cache.

use std::fmt;

use sealift_delta::{InPlace, Options, RamClass};
use serde::{Deserialize, Serialize};

use crate::names;

/// [`Options`] without `threads`, on which no byte depends. What is absent is the generator's choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OptionsForm {
    profile: String,
    isa: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ram: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chunk_log2: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group_log2: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sector: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scratch: Option<u64>,
    level: i32,
    large_from: u64,
}

impl From<&Options> for OptionsForm {
    fn from(options: &Options) -> Self {
        // Each by its name: a new option must be thought of here.
        let Options { profile, instruction_set, base, ram, chunk_log2, group_log2, in_place, threads: _, level, large_from } = options;
        Self {
            profile: names::profile(*profile).to_owned(),
            isa: match instruction_set {
                sealift_delta::Choice::Auto => "auto".to_owned(),
                sealift_delta::Choice::Given(set) => names::instruction_set(*set).to_owned(),
            },
            base: *base,
            ram: ram.map(|ram| names::bytes_of_log2(ram.log2())),
            chunk_log2: *chunk_log2,
            group_log2: *group_log2,
            sector: in_place.map(|place| place.sector),
            scratch: in_place.map(|place| place.scratch),
            level: *level,
            large_from: *large_from,
        }
    }
}

impl TryFrom<&OptionsForm> for Options {
    type Error = String;

    fn try_from(form: &OptionsForm) -> Result<Self, String> {
        let ram = form.ram.map(|ram| RamClass::fitting(ram).filter(|class| names::bytes_of_log2(class.log2()) == ram).ok_or(format!("ram is {ram}")));
        let in_place = match (form.sector, form.scratch) {
            (Some(sector), Some(scratch)) => Some(InPlace { sector, scratch }),
            (None, None) => None,
            _ => return Err("sector and scratch belong together".into()),
        };
        Ok(Self {
            profile: names::parse_profile(&form.profile)?,
            instruction_set: names::parse_choice(&form.isa)?,
            base: form.base,
            ram: ram.transpose()?,
            chunk_log2: form.chunk_log2,
            group_log2: form.group_log2,
            in_place,
            threads: None,
            level: form.level,
            large_from: form.large_from,
        })
    }
}

/// As JSON in one line, always the same.
impl fmt::Display for OptionsForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use sealift_delta::{Choice, InPlace, InstructionSet, Options, Profile, RamClass};

    use super::OptionsForm;

    #[test]
    fn every_option_is_written_and_read_again() {
        let all = Options {
            profile: Profile::Compact,
            instruction_set: Choice::Given(InstructionSet::Thumb),
            base: Some(0x0800_0000),
            ram: RamClass::fitting(1 << 16),
            chunk_log2: Some(10),
            group_log2: Some(12),
            in_place: Some(InPlace { sector: 4096, scratch: 8192 }),
            threads: Some(3),
            level: 19,
            large_from: 1 << 20,
        };
        let mut forms = Vec::new();
        for options in [Options::default(), all.clone()] {
            let form = OptionsForm::from(&options);
            let text = form.to_string();
            let again = Options::try_from(&serde_json::from_str::<OptionsForm>(&text).unwrap()).unwrap();
            assert_eq!(format!("{again:?}"), format!("{:?}", Options { threads: None, ..options }));
            forms.push(text);
        }
        assert_ne!(forms[0], forms[1]);
        assert_eq!(OptionsForm::from(&Options { threads: None, ..all.clone() }), OptionsForm::from(&all), "no byte depends on threads");
    }
}
