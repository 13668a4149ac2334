//! `RELEASE.toml`: what a release is made of. `examples/release.toml` explains every field.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use sealift_delta::{InPlace, Options, Profile, RamClass};
use sealift_formats::patch::in_place::SECTOR_LOG2;
use serde::Deserialize;
use toml::Spanned;
use uuid::Uuid;

use super::outputs::{MESSAGE_OVERHEAD_BYTES, Management};
use crate::names;
use crate::oma::sacmo::Retry;
use crate::package::ids;
use crate::signer::passphrase::Passphrase;
use crate::signer::{KeySpec, uri};

/// A release file was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not TOML, or a field is unknown, missing or of the wrong type.
    #[error("{}: {message}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line, column and the line itself.
        message: String,
    },
    /// A value makes no sense.
    #[error("{}:{line}:{column}: {field} is `{found}`, expected {expected}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// The field's name.
        field: String,
        /// The value found.
        found: String,
        /// The values allowed.
        expected: &'static str,
    },
}

/// A release, with every path made whole and every name settled.
#[derive(Clone, Debug)]
pub struct Release {
    /// The product's name, which begins every file name.
    pub product: String,
    /// The new version's label.
    pub version: String,
    /// The manifests' sequence number.
    pub sequence: u64,
    /// The lowest security counter that the new image stands for.
    pub security_counter: u64,
    /// The component's name.
    pub component: String,
    /// The vendor's UUID.
    pub vendor: Uuid,
    /// The UUID of the class of devices.
    pub class: Uuid,
    /// The new image.
    pub new: PathBuf,
    /// The images in the field, in the order of the file.
    pub old: Vec<OldImage>,
    /// How patches are made.
    pub delta: Options,
    /// Whether each package is rehearsed, and none is made that fails.
    pub rehearse: bool,
    /// The OEM keys that sign each package.
    pub signing_keys: Vec<KeySpec>,
    /// Where the passphrase of encrypted keys comes from, and the PIN of tokens whose URI has no `pin-source`; `None`: the file does not say.
    pub passphrase: Option<Passphrase>,
    /// What the download descriptors say.
    pub descriptor: DescriptorTexts,
    /// Texts for people, by language.
    pub text: BTreeMap<String, LanguageText>,
    /// Where the management objects of the devices are.
    pub management: Management,
    /// What the sideband workflow says beside the texts.
    pub workflow: WorkflowTable,
}

/// The sideband workflow.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct WorkflowTable {
    /// Where the maker's own way begins; absent: the address of the package.
    pub url: Option<String>,
    /// How often to try.
    pub attempts: u32,
    /// Seconds before the second attempt.
    pub delay: u32,
    /// What the wait is multiplied with from one attempt to the next.
    pub factor: u32,
}

impl Default for WorkflowTable {
    fn default() -> Self {
        Self { url: None, attempts: 3, delay: 3600, factor: 2 }
    }
}

impl WorkflowTable {
    /// The retry rule.
    #[must_use]
    pub fn retry(&self) -> Retry {
        Retry { attempts: self.attempts, delay_seconds: self.delay, factor: self.factor }
    }
}

/// An image in the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldImage {
    /// Its label.
    pub version: String,
    /// Its file.
    pub path: PathBuf,
}

/// What the download descriptors say beside type, size and place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DescriptorTexts {
    /// Where the packages will be, without the file name; absent: descriptors name the file alone.
    pub base_url: Option<String>,
    /// `installNotifyURI`.
    pub notify_url: Option<String>,
    /// `nextURL`.
    pub next_url: Option<String>,
    /// `name`.
    pub name: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `vendor`.
    pub vendor: Option<String>,
    /// `infoURL`.
    pub info_url: Option<String>,
    /// `installParam`.
    pub install_param: Option<String>,
}

/// Texts for people in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LanguageText {
    /// What the package is.
    pub description: Option<String>,
    /// What the update brings.
    pub update: Option<String>,
    /// The vendor's name.
    pub vendor: Option<String>,
    /// The model's name.
    pub model: Option<String>,
    /// Sideband workflow: what is asked before it begins.
    pub confirmation: Option<String>,
    /// Sideband workflow: what the user has to do, step by step.
    #[serde(default)]
    pub instructions: Vec<String>,
    /// Sideband workflow: what is said when it is done.
    pub completion: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    release: ReleaseTable,
    #[serde(default)]
    old: Vec<OldTable>,
    #[serde(default)]
    delta: DeltaTable,
    #[serde(default)]
    signing: SigningTable,
    #[serde(default)]
    descriptor: DescriptorTexts,
    #[serde(default)]
    text: BTreeMap<String, LanguageText>,
    management: Option<Spanned<Management>>,
    #[serde(default)]
    workflow: WorkflowTable,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ReleaseTable {
    product: Spanned<String>,
    version: Spanned<String>,
    sequence: u64,
    #[serde(default)]
    security_counter: u64,
    component: Spanned<String>,
    vendor: Spanned<String>,
    class: Spanned<String>,
    new: Spanned<PathBuf>,
    #[serde(default)]
    rehearse: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct OldTable {
    version: Spanned<String>,
    path: Spanned<PathBuf>,
}

/// What is absent is the generator's choice.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct DeltaTable {
    profile: Option<Spanned<String>>,
    isa: Option<Spanned<String>>,
    base: Option<u64>,
    ram: Option<Spanned<u64>>,
    chunk: Option<Spanned<u64>>,
    sector: Option<Spanned<u64>>,
    scratch: Option<Spanned<u64>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SigningTable {
    key: Option<Spanned<String>>,
    #[serde(default)]
    keys: Vec<Spanned<String>>,
    passphrase_file: Option<Spanned<PathBuf>>,
    passphrase_env: Option<Spanned<String>>,
}

/// What file names and labels are made of.
const NAME_FORM: &str = "1 to 64 letters, digits, `.`, `_`, `+` or `-`, beginning with a letter or digit";

impl Release {
    /// Reads a release file. Paths in it count from its folder.
    ///
    /// # Errors
    /// See [`Error`]; line and column of the first fault.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Reads `text`, which is that of the file at `path`.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let file: File = toml::from_str(text).map_err(|error| Error::Form { path: path.to_owned(), message: error.to_string().trim_end().to_owned() })?;
        let place = Place { text, path };
        let folder = path.parent().unwrap_or(Path::new(""));
        let release = file.release;

        let name = |field: &str, value: &Spanned<String>| {
            if is_name(value.as_ref()) { Ok(value.as_ref().clone()) } else { Err(place.error(field, value, NAME_FORM)) }
        };
        let component = release.component.as_ref();
        if !(1..=32).contains(&component.len()) || !component.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
            return Err(place.error("component", &release.component, "1 to 32 printable ASCII characters"));
        }
        let vendor = ids::vendor(release.vendor.as_ref()).ok_or_else(|| place.error("vendor", &release.vendor, "a UUID or a domain name"))?;
        let class = ids::class(&vendor, release.class.as_ref()).ok_or_else(|| place.error("class", &release.class, "a UUID or a model name"))?;

        let mut old: Vec<OldImage> = Vec::new();
        for image in &file.old {
            let version = name("old version", &image.version)?;
            if old.iter().any(|other| other.version == version) || version == "full" {
                return Err(place.error("old version", &image.version, "each version once"));
            }
            old.push(OldImage { version, path: place.existing("old path", folder, &image.path)? });
        }
        let keys = file.signing.key.iter().chain(&file.signing.keys);
        let signing_keys = keys.map(|key| place.key(folder, key)).collect::<Result<_, _>>()?;
        let management = match &file.management {
            None => Management::default(),
            Some(table) if table.as_ref().max_message < 2 * MESSAGE_OVERHEAD_BYTES => {
                let found = table.as_ref().max_message.to_string();
                return Err(place.at(table.span(), "max-message", found, "2048 bytes or more"));
            }
            Some(table) => table.as_ref().clone(),
        };
        Ok(Self {
            product: name("product", &release.product)?,
            version: name("version", &release.version)?,
            sequence: release.sequence,
            security_counter: release.security_counter,
            component: component.clone(),
            vendor,
            class,
            new: place.existing("new", folder, &release.new)?,
            old,
            delta: place.delta(&file.delta)?,
            rehearse: release.rehearse,
            signing_keys,
            passphrase: place.passphrase(folder, &file.signing)?,
            descriptor: file.descriptor,
            text: file.text,
            management,
            workflow: file.workflow,
        })
    }
}

/// Where a value stands, for errors.
struct Place<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Place<'_> {
    /// A file, or a key on a token.
    fn key(&self, folder: &Path, value: &Spanned<String>) -> Result<KeySpec, Error> {
        let text = value.as_ref();
        if !text.starts_with(uri::SCHEME) {
            return self.existing("signing key", folder, value).map(KeySpec::File);
        }
        if uri::KeyUri::parse(text).is_err() {
            // What stands behind the question mark may hold a PIN.
            let found = text.split('?').next().unwrap_or_default().to_owned();
            return Err(self.at(value.span(), "signing key", found, "a file, or a `pkcs11:` URI that `sealift sign --signer` takes"));
        }
        Ok(KeySpec::Token(text.clone()))
    }

    fn passphrase(&self, folder: &Path, table: &SigningTable) -> Result<Option<Passphrase>, Error> {
        match (&table.passphrase_file, &table.passphrase_env) {
            (None, None) => Ok(None),
            (Some(path), None) => self.existing("passphrase-file", folder, path).map(|path| Some(Passphrase::File(path))),
            (None, Some(name)) => Ok(Some(Passphrase::Environment(name.as_ref().clone()))),
            (Some(_), Some(name)) => Err(self.error("passphrase-env", name, "one of passphrase-file and passphrase-env")),
        }
    }

    fn existing<P: AsRef<Path>>(&self, field: &str, folder: &Path, value: &Spanned<P>) -> Result<PathBuf, Error> {
        let whole = folder.join(value.as_ref());
        if whole.is_file() {
            return Ok(whole);
        }
        Err(self.at(value.span(), field, whole.display().to_string(), "a file that exists (paths count from this file's folder)"))
    }

    fn delta(&self, table: &DeltaTable) -> Result<Options, Error> {
        const SIZES: &str = "0, or a power of two from 256 to 16777216 bytes";
        let mut options = Options { base: table.base, ..Options::default() };
        if let Some(value) = &table.profile {
            options.profile = names::parse_profile(value.as_ref()).map_err(|_| self.error("profile", value, "fast or compact"))?;
        }
        if let Some(value) = &table.isa {
            let expected = "auto, none, thumb, aarch64, riscv32, riscv64, xtensa, arm, x86-64 or powerpc";
            options.instruction_set = names::parse_choice(value.as_ref()).map_err(|_| self.error("isa", value, expected))?;
        }
        if let Some(value) = &table.ram {
            let class = RamClass::fitting(*value.as_ref());
            let error = || self.at(value.span(), "ram", value.as_ref().to_string(), "8192 bytes or more");
            options.ram = Some(class.ok_or_else(error)?);
        }
        if let Some(value) = &table.chunk {
            let log2 = names::log2_of_bytes(*value.as_ref()).filter(|log2| matches!(log2, 0 | 8..=24));
            options.chunk_log2 = Some(log2.ok_or_else(|| self.at(value.span(), "chunk", value.as_ref().to_string(), SIZES))?);
        }
        options.in_place = self.in_place(table, options.profile)?;
        Ok(options)
    }

    /// `sector` and `scratch`, which belong together, make patches for devices that install over the old image.
    fn in_place(&self, table: &DeltaTable, profile: Profile) -> Result<Option<InPlace>, Error> {
        let number = |field: &str, value: &Spanned<u64>, expected| self.at(value.span(), field, value.as_ref().to_string(), expected);
        let (sector, scratch) = match (&table.sector, &table.scratch) {
            (None, None) => return Ok(None),
            (Some(sector), Some(scratch)) => (sector, scratch),
            (Some(sector), None) => return Err(number("sector", sector, "scratch beside it: bytes of flash beside the slot")),
            (None, Some(scratch)) => return Err(number("scratch", scratch, "sector beside it: bytes that the flash erases at once")),
        };
        if profile != Profile::Compact {
            return Err(number("sector", sector, "profile = \"compact\" beside it: the other profile cannot be applied in place"));
        }
        if names::log2_of_bytes(*sector.as_ref()).is_none_or(|log2| !SECTOR_LOG2.contains(&log2)) {
            return Err(number("sector", sector, "a power of two from 256 to 131072 bytes"));
        }
        if scratch.as_ref() < sector.as_ref() {
            return Err(number("scratch", scratch, "at least a sector"));
        }
        Ok(Some(InPlace { sector: *sector.as_ref(), scratch: *scratch.as_ref() }))
    }

    fn error(&self, field: &str, value: &Spanned<String>, expected: &'static str) -> Error {
        self.at(value.span(), field, value.as_ref().clone(), expected)
    }

    fn at(&self, span: Range<usize>, field: &str, found: String, expected: &'static str) -> Error {
        let before = &self.text[..span.start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Error::Value {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            field: field.to_owned(),
            found,
            expected,
        }
    }
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{Error, KeySpec, Passphrase, Release};

    const LEAST: &str = "[release]\nproduct = \"lamp\"\nversion = \"2.0\"\nsequence = 20\ncomponent = \"app\"\nvendor = \"example.com\"\nclass = \"lamp-mk2\"\nnew = \"new.bin\"\n";

    fn read(text: &str) -> Result<Release, Error> {
        let folder = tempfile::tempdir().unwrap();
        for name in ["new.bin", "old.bin"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        Release::parse(text, &folder.path().join("release.toml"))
    }

    fn refusal(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn the_least_release() {
        let release = read(LEAST).unwrap();
        assert_eq!((release.sequence, release.security_counter), (20, 0));
        assert_eq!(release.component, "app");
        assert!(release.old.is_empty() && release.signing_keys.is_empty());
    }

    #[test]
    fn the_example_is_accepted() {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/release.toml")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for name in ["app-2.0.bin", "app-1.1.bin", "app-1.0.bin", "oem.key.pem"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let release = Release::parse(&text, &folder.path().join("release.toml")).unwrap();
        assert_eq!(release.old.len(), 2);
        assert_eq!(release.signing_keys.len(), 1);
        assert_eq!(release.text.len(), 2);
        assert!(release.descriptor.base_url.is_some());
    }

    #[test]
    fn faults_have_a_line_and_a_column() {
        let text = LEAST.replace("new.bin", "gone.bin");
        assert!(refusal(&text).contains("release.toml:8:7: new is `"), "{}", refusal(&text));
        let text = format!("{LEAST}\n[[old]]\nversion = \"a/b\"\npath = \"old.bin\"\n");
        assert!(refusal(&text).contains(":11:11: old version is `a/b`, expected 1 to 64"), "{}", refusal(&text));
        let twice = "\n[[old]]\nversion = \"1\"\npath = \"old.bin\"\n".repeat(2);
        assert!(refusal(&format!("{LEAST}{twice}")).contains(":15:11: old version is `1`, expected each version once"));
    }

    #[test]
    fn keys_are_files_or_on_tokens() {
        let token = "pkcs11:token=release;object=oem?module-path=/m.so&pin-source=file:pin";
        let text = format!("{LEAST}[signing]\nkeys = [\"{token}\", \"old.bin\"]\npassphrase-env = \"PASS\"\n");
        let release = read(&text).unwrap();
        assert_eq!(release.signing_keys[0], KeySpec::Token(token.into()));
        assert!(matches!(&release.signing_keys[1], KeySpec::File(path) if path.ends_with("old.bin")));
        assert_eq!(release.passphrase, Some(Passphrase::Environment("PASS".into())));
        // A PIN in the URI is refused, and not repeated.
        let refused = refusal(&format!("{LEAST}[signing]\nkey = \"pkcs11:object=oem?pin-value=94517\"\n"));
        assert!(refused.contains(":10:7: signing key is `pkcs11:object=oem`, expected a file, or a `pkcs11:` URI") && !refused.contains("94517"), "{refused}");
        let both = refusal(&format!("{LEAST}[signing]\npassphrase-env = \"A\"\npassphrase-file = \"old.bin\"\n"));
        assert!(both.contains("passphrase-env is `A`, expected one of"), "{both}");
        assert!(refusal(&format!("{LEAST}[signing]\nkey = \"gone.pem\"\n")).contains("signing key is `"));
    }

    #[test]
    fn unknown_missing_and_mistyped_fields() {
        let unknown = refusal(&format!("{LEAST}colour = \"red\"\n"));
        assert!(unknown.contains("line 9, column 1") && unknown.contains("colour"), "{unknown}");
        let missing = refusal(&LEAST.replace("sequence = 20\n", ""));
        assert!(missing.contains("sequence"), "{missing}");
        let ram = refusal(&format!("{LEAST}[delta]\nram = 100\n"));
        assert!(ram.contains(":10:7: ram is `100`, expected 8192 bytes or more"), "{ram}");
        let mistyped = refusal(&LEAST.replace("sequence = 20", "sequence = \"20\""));
        assert!(mistyped.contains("line 4, column 12"), "{mistyped}");
        assert!(refusal(&LEAST.replace("\"app\"", "\"\"")).contains("component is ``"));
    }
}
