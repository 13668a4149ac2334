//! The text of a package, SPEC 5.5: for people. No check depends on what it says.

use crate::cbor::{Key, Map, Reader};
use crate::error::{DecodeError, ErrorKind};
use crate::suit::text_key;

/// The text in all its languages.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    bytes: &'a [u8],
}

/// The text in one language. Any part may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Description<'a> {
    /// The language, as in RFC 5646.
    pub language: &'a str,
    /// What the manifest is.
    pub manifest: Option<&'a str>,
    /// What the update does.
    pub update: Option<&'a str>,
    /// The component that the following are about, as the manifest names it.
    pub component: &'a str,
    /// Its vendor's name.
    pub vendor: Option<&'a str>,
    /// Its model's name.
    pub model: Option<&'a str>,
    /// Its version, once installed.
    pub version: Option<&'a str>,
}

impl<'a> Text<'a> {
    /// Reads the content of envelope key 23.
    ///
    /// # Errors
    /// The first way in which it is not of the form of SPEC 5.5.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let mut map = reader.map()?;
        if map.left() == 0 {
            return Err(ErrorKind::WrongLength.at(0));
        }
        while read(&mut map, &mut reader)?.is_some() {}
        reader.finish()?;
        Ok(Text { bytes })
    }

    /// The descriptions, one a language.
    pub fn descriptions(&self) -> impl Iterator<Item = Description<'a>> + use<'a> {
        let mut reader = Reader::new(self.bytes);
        let mut map = reader.map().ok();
        core::iter::from_fn(move || read(map.as_mut()?, &mut reader).ok().flatten())
    }
}

fn read<'a>(map: &mut Map<'a>, reader: &mut Reader<'a>) -> Result<Option<Description<'a>>, DecodeError> {
    let start = reader.offset();
    let language = match map.key(reader)? {
        None => return Ok(None),
        Some(Key::Text(language)) => language,
        Some(_) => return Err(ErrorKind::WrongType.at(start)),
    };
    let mut parts = reader.map()?;
    let manifest = optional(&mut parts, reader, text_key::MANIFEST_DESCRIPTION)?;
    let update = optional(&mut parts, reader, text_key::UPDATE_DESCRIPTION)?;
    let start = reader.offset();
    let component = match parts.key(reader)? {
        Some(Key::Other(component)) => read_component(Reader::at(component, start))?,
        Some(_) => return Err(ErrorKind::UnknownKey.at(start)),
        None => return Err(ErrorKind::MissingKey.at(start)),
    };
    let mut about = reader.map()?;
    let vendor = optional(&mut about, reader, text_key::VENDOR_NAME)?;
    let model = optional(&mut about, reader, text_key::MODEL_NAME)?;
    let version = optional(&mut about, reader, text_key::VERSION)?;
    about.end(reader)?;
    parts.end(reader)?;
    Ok(Some(Description { language, manifest, update, component, vendor, model, version }))
}

fn optional<'a>(map: &mut Map<'a>, reader: &mut Reader<'a>, key: i64) -> Result<Option<&'a str>, DecodeError> {
    map.optional(reader, key)?.then(|| reader.text()).transpose()
}

fn read_component(mut reader: Reader<'_>) -> Result<&str, DecodeError> {
    reader.array_of(1)?;
    let start = reader.offset();
    core::str::from_utf8(reader.bytes()?).map_err(|_| ErrorKind::ComponentName.at(start))
}

/// Writes a text. Languages may come in any order.
///
/// # Errors
/// What a reader would refuse: no language, or one twice.
#[cfg(any(test, feature = "alloc"))]
pub fn write(descriptions: &[Description<'_>]) -> Result<alloc::vec::Vec<u8>, DecodeError> {
    use crate::cbor::{Writer, encode};

    type Entry<'a> = (i64, Option<&'a str>);
    let count = |entries: &[Entry<'_>]| entries.iter().filter(|(_, text)| text.is_some()).map(|_| 1).sum::<u64>();
    let write_entries = |writer: &mut Writer, entries: &[Entry<'_>]| {
        for (key, text) in entries {
            if let Some(text) = text {
                writer.integer(*key).text(text);
            }
        }
    };
    let mut sorted = descriptions.to_vec();
    // The order of the encodings: the shorter first.
    sorted.sort_by(|left, right| left.language.len().cmp(&right.language.len()).then_with(|| left.language.cmp(right.language)));
    let bytes = encode(|writer| {
        writer.map(u64::try_from(sorted.len()).unwrap_or(u64::MAX));
        for description in &sorted {
            let general = [(text_key::MANIFEST_DESCRIPTION, description.manifest), (text_key::UPDATE_DESCRIPTION, description.update)];
            let about = [(text_key::VENDOR_NAME, description.vendor), (text_key::MODEL_NAME, description.model), (text_key::VERSION, description.version)];
            writer.text(description.language).map(count(&general).saturating_add(1));
            write_entries(writer, &general);
            writer.array(1).bytes(description.component.as_bytes()).map(count(&about));
            write_entries(writer, &about);
        }
    });
    Text::parse(&bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn german() -> Description<'static> {
        Description { language: "de", update: Some("Behebt einen Fehler"), component: "app", version: Some("1.1"), ..Description::default() }
    }

    fn english() -> Description<'static> {
        Description {
            language: "en-GB",
            manifest: Some("Meter, 1.0 to 1.1"),
            update: Some("Mends a fault"),
            component: "app",
            vendor: Some("Example"),
            model: Some("Meter X1"),
            version: Some("1.1"),
        }
    }

    #[test]
    fn languages_come_back_in_order() {
        let bytes = write(&[english(), german()]).unwrap();
        let back: Vec<_> = Text::parse(&bytes).unwrap().descriptions().collect();
        assert_eq!(back, [german(), english()]);
    }

    #[test]
    fn refusals() {
        let kind = |result: Result<Vec<u8>, DecodeError>| result.unwrap_err().kind;
        assert_eq!(kind(write(&[])), ErrorKind::WrongLength);
        assert_eq!(kind(write(&[german(), german()])), ErrorKind::DuplicateKey);
        let bytes = write(&[english(), german()]).unwrap();
        for length in 0..bytes.len() {
            assert!(Text::parse(&bytes[..length]).is_err(), "{length}");
        }
    }
}
