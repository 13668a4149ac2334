//! A release file to begin with: what is known is in it, and every option as a comment.
//!
//! A line that begins with `#` and no blank is an option; lines of them without another between belong together. The tests take each such
//! group's `#` away and read the file.

use std::fmt::Write as _;

/// What a new release file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The product's name.
    pub product: String,
    /// Whose product it is: a domain, or a UUID.
    pub vendor: String,
    /// The class of devices: a name, or a UUID.
    pub class: String,
    /// The new image, or the directory of those of several components.
    pub new: Versioned,
    /// Whether it is such a directory.
    pub several: bool,
    /// The images in the field.
    pub old: Vec<Versioned>,
    /// Files of keys that sign.
    pub keys: Vec<String>,
}

/// An image with its version's label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The label.
    pub version: String,
    /// The file, from the release file's folder.
    pub path: String,
}

impl Template {
    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from(HEAD);
        let mut line = |key: &str, value: &str, comment: &str| {
            let said = format!("{key} = {}", quoted(value));
            let _ = writeln!(text, "{said:30} # {comment}");
        };
        line("product", &self.product, "begins the name of every file");
        line("version", &self.new.version, "label of the new image, for people and file names");
        if !self.several {
            line("component", "app", "what is updated: 1 to 32 characters");
        }
        line("vendor", &self.vendor, "a domain, or a UUID");
        line("class", &self.class, "the model: a name, or a UUID");
        let new = if self.several { "the images to be installed: of each component one, which is named after its file" } else { "the image to be installed" };
        line("new", &self.new.path, new);
        if self.several {
            line("#component", &self.product, "what SCOMO and LwM2M call all components together");
        }
        text.push_str(RELEASE);
        for old in &self.old {
            let _ = write!(text, "\n[[old]]\nversion = {}\npath = {}\n", quoted(&old.version), quoted(&old.path));
        }
        text.push_str(if self.old.is_empty() { OLD } else { "" });
        text.push_str(OPTIONS);
        if self.keys.is_empty() {
            text.push_str("#[signing]\n#keys = [\"oem.key.pem\"]\n#required = 1                 # signatures that devices ask for\n");
        } else {
            let keys: Vec<String> = self.keys.iter().map(|key| quoted(key)).collect();
            let _ = write!(text, "[signing]\nkeys = [{}]\n#required = 1                 # signatures that devices ask for\n", keys.join(", "));
        }
        text.push_str(REST);
        text
    }
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

const HEAD: &str = "\
# A release: `sealift pack` makes a package for each image in the field, and one for every other device.
# Paths count from this file's folder. Lines with # and no blank behind it are options: take the # away to use them, all of a group at once.

[release]
sequence = 1                   # higher than that of every release before
";

const RELEASE: &str = "\
#format = \"raw\"               # how the files hold the images: raw, mcuboot, elf, ihex, srec, uf2; by default their content tells
#channel = \"beta\"             # whom the release is for: in release.json
#security-counter = 1          # devices whose own counter is higher refuse this release
#rehearse = { cuts = 20 }      # install each package on simulated devices, with the power cut so many times; make none that fails

# A device of several components (application, modem, ...): `new` and each `path` are directories with an image for each component, which is named
# after its file without the ending; `glob` finds directories. `component` is then the name of them all, or is left out.

# The images in the field: each with its version, or many by a pattern.
";

const OLD: &str = "
#[[old]]
#version = \"1.0\"
#path = \"app-1.0.bin\"
";

const OPTIONS: &str = "
#[[old]]
#glob = \"field/*/app.bin\"
#version-from = \"field/{version}/app.bin\"

# What the devices have: packages that ask for more are not made, and profile and memory of patches follow.
#[device]
#ram = 65536                   # bytes for applying; 0: a device with an operating system
#profile = \"compact\"          # fast or compact
#isa = [\"thumb\"]              # instruction sets that the applier has code for
#slot = 393216                 # bytes that a new image can have
#in-place = true               # the new image is installed over the old one
#sector = 4096                 # bytes that the flash erases at once
#scratch = 32768               # bytes of flash beside the slot

# How patches are made.
#[delta]
#profile = \"compact\"          # fast or compact
#isa = \"thumb\"                # auto, none, thumb, aarch64, riscv32, riscv64, xtensa, arm, x86-64, powerpc
#base = 0x0800_0000            # address at which the image runs; by default as the image file says, if it does
#ram = 65536                   # bytes that the device has for applying
#chunk = 1024                  # bytes that are authenticated at once

# What is too large.
#[limits]
#delta-percent = 60            # a delta package of more percent of the full one is left out
#max-package = 1048576         # a release with a package of more bytes is not made
#max-ram = 65536               # nor one whose patches take more bytes of memory

# Who signs: files, or pkcs11: addresses of keys on tokens. Without it: `sealift sign`.
";

const REST: &str = "
# Whose approvals are asked for: in release.json.
#[approval]
#operators = [{ id = \"310-410\", required = true }]

# What the download descriptors say.
#[descriptor]
#base-url = \"https://updates.example.com/\"
#notify-url = \"https://updates.example.com/notify\"
#info-url = \"https://example.com/notes\"

# Texts for people, by language (RFC 5646). They are signed.
#[text.en]
#description = \"Firmware\"
#update = \"What the update brings\"
#vendor = \"Example\"
#model = \"Lamp\"

#[text.de]
#update = \"Was die Aktualisierung bringt\"

# Where the management objects of the devices are (OMA DM).
#[management]
#fumo = \"./FUMO/Sealift\"
#scomo = \"./SCOMO\"
#max-message = 16384

# Several models, each with what differs from the tables above.
#[[model]]
#name = \"mk2\"

#[[model]]
#name = \"mk3\"
#class = \"mk3\"
#security-counter = 2
#new = \"app-mk3.bin\"
#limits = { delta-percent = 50 }
#[[model.old]]
#version = \"1.4\"
#path = \"app-mk3-1.4.bin\"
";

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Template, Versioned};
    use crate::release::config::Release;

    fn template(old: &[&str], keys: &[&str]) -> Template {
        let image = |version: &&str| Versioned { version: (*version).into(), path: format!("app-{version}.bin") };
        Template {
            product: "lamp".into(),
            vendor: "example.com".into(),
            class: "lamp-mk2".into(),
            new: image(&"2.0"),
            several: false,
            old: old.iter().map(image).collect(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        }
    }

    /// The text without the `#` of the lines that `wanted` says.
    fn uncommented(text: &str, wanted: impl Fn(usize) -> bool) -> String {
        let line = |(number, line): (usize, &str)| if is_option(line) && wanted(number) { line[1..].to_owned() + "\n" } else { line.to_owned() + "\n" };
        text.lines().enumerate().map(line).collect()
    }

    fn is_option(line: &str) -> bool {
        line.starts_with('#') && !line.starts_with("# ")
    }

    #[test]
    fn every_option_is_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("field/1.7")).unwrap();
        for name in ["app-2.0.bin", "app-1.0.bin", "field/1.7/app.bin", "app-mk3.bin", "app-mk3-1.4.bin", "oem.key.pem"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let read = |text: &str| Release::parse(text, &folder.path().join("RELEASE.toml")).map_err(|error| format!("{error}\n{text}"));
        for template in [template(&[], &[]), template(&["1.0"], &["oem.key.pem"])] {
            let text = template.text();
            let plain = read(&text).unwrap();
            assert_eq!(plain.models[0].old.len(), template.old.len());
            let lines: Vec<&str> = text.lines().collect();
            let mut groups = Vec::new();
            for (number, line) in lines.iter().enumerate().filter(|(_, line)| is_option(line)) {
                match groups.last_mut() {
                    Some((_, end)) if *end == number => *end += 1,
                    _ => groups.push((number, number + 1)),
                }
                // An option of a table that is there can be used alone.
                if lines[..number].iter().rev().take_while(|line| !line.starts_with('#') || is_option(line)).all(|line| !line.starts_with("#["))
                    && !line.starts_with("#[")
                {
                    read(&uncommented(&text, |other| other == number)).unwrap();
                }
            }
            assert!(groups.len() >= 12, "{groups:?}");
            for (start, end) in &groups {
                // The second model stands for itself too; the first alone is a release of one model.
                read(&uncommented(&text, |number| (*start..*end).contains(&number))).unwrap();
            }
            let all = read(&uncommented(&text, |_| true)).unwrap();
            assert_eq!((all.models.len(), all.channel.as_deref(), all.required.operators.len(), all.required.signatures), (2, Some("beta"), 1, 1));
            assert_eq!(all.models[1].old[0].version, "1.4");
            assert!(all.models[0].delta.in_place.is_some() && all.models[0].old.iter().any(|old| old.version == "1.7"));
        }
    }

    #[test]
    fn a_wrong_option_would_be_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("app-2.0.bin"), "new").unwrap();
        let text = uncommented(&template(&[], &[]).text().replace("#channel =", "#chanel ="), |_| true);
        let said = Release::parse(&text, &folder.path().join("RELEASE.toml")).unwrap_err().to_string();
        assert!(said.contains("RELEASE.toml:13:1: unknown field `chanel`") && said.ends_with("; is `channel` meant?"), "{said}");
    }
}
