//! From a file of a package to an image.

use std::io::Cursor;

use super::archive::zip_member;
use crate::corpus::Step;

/// Applies one step; an error says what does not fit.
pub(super) fn convert(step: &Step, data: Vec<u8>) -> Result<Vec<u8>, String> {
    match step {
        Step::Hex(start, end) => hex_to_image(&data, *start, *end),
        Step::PythonString(name) => python_string(&data, name),
        Step::Zip(member) => zip_member(Cursor::new(data), member).map_err(|error| error.to_string())?.ok_or_else(|| format!("the ZIP file has no {member}")),
    }
}

/// The bytes that an Intel HEX text places in `[start, end)`: from the first to the last one, gaps filled
/// with 0xff. Checksums are verified.
fn hex_to_image(text: &[u8], start: u32, end: u32) -> Result<Vec<u8>, String> {
    let text = core::str::from_utf8(text).map_err(|_| "not an Intel HEX text")?;
    let mut upper = 0;
    let mut pieces: Vec<(u32, Vec<u8>)> = Vec::new();
    for record in ihex::Reader::new(text) {
        match record.map_err(|error| format!("Intel HEX: {error}"))? {
            ihex::Record::Data { offset, value } => {
                for (address, byte) in (upper + u32::from(offset)..).zip(value) {
                    if (start..end).contains(&address) {
                        match pieces.last_mut() {
                            Some((at, piece)) if *at as usize + piece.len() == address as usize => piece.push(byte),
                            _ => pieces.push((address, vec![byte])),
                        }
                    }
                }
            }
            ihex::Record::ExtendedLinearAddress(high) => upper = u32::from(high) << 16,
            ihex::Record::ExtendedSegmentAddress(segment) => upper = u32::from(segment) << 4,
            _ => {}
        }
    }
    let first = pieces.iter().map(|(at, _)| *at as usize).min();
    let last = pieces.iter().map(|(at, piece)| *at as usize + piece.len()).max();
    let (Some(first), Some(last)) = (first, last) else {
        return Err(format!("Intel HEX: no data in {start:#x}..{end:#x}"));
    };
    let mut image = vec![0xff; last - first];
    for (at, piece) in pieces {
        let from = at as usize - first;
        image[from..from + piece.len()].copy_from_slice(&piece);
    }
    Ok(image)
}

/// The text between triple quotes that follows `NAME = ` at the start of a line. Escapes are refused.
fn python_string(source: &[u8], name: &str) -> Result<Vec<u8>, String> {
    const QUOTES: &str = "\"\"\"";
    let source = core::str::from_utf8(source).map_err(|_| "not Python source in UTF-8")?;
    let opening = format!("\n{name} = {QUOTES}");
    let (_, rest) = source.split_once(&opening).ok_or_else(|| format!("no text is assigned to {name}"))?;
    let (text, _) = rest.split_once(QUOTES).ok_or_else(|| format!("the text of {name} does not end"))?;
    if text.contains('\\') {
        return Err(format!("the text of {name} has escapes"));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const HEX: &str = ":020000040001F9\n:04001000AABBCCDDDE\n:020016001122B5\n:0100000005FA\n:00000001FF\n";

    #[test]
    fn hex_becomes_an_image_with_gaps_filled() {
        let image = convert(&Step::Hex(0x10010, 0x20000), HEX.into()).unwrap();
        assert_eq!(image, [0xaa, 0xbb, 0xcc, 0xdd, 0xff, 0xff, 0x11, 0x22]);
    }

    #[test]
    fn hex_outside_the_range_is_cut() {
        let image = convert(&Step::Hex(0x10011, 0x10013), HEX.into()).unwrap();
        assert_eq!(image, [0xbb, 0xcc]);
        assert!(convert(&Step::Hex(0, 0x1000), HEX.into()).is_err());
    }

    #[test]
    fn hex_segments_count_sixteen_bytes() {
        let text = ":020000021000EC\n:0100020007F6\n:00000001FF\n";
        assert_eq!(convert(&Step::Hex(0x10002, 0x10003), text.into()).unwrap(), [7]);
    }

    #[test]
    fn hex_with_a_wrong_checksum_is_refused() {
        let error = convert(&Step::Hex(0, 0x20000), HEX.replace("DDDE", "DDDF").into()).unwrap_err();
        assert!(error.contains("Intel HEX"), "{error}");
    }

    #[test]
    fn python_text_is_found() {
        let source = "import x\nA = \"\"\"no\"\"\"\n_B = \"\"\":00\n:01\"\"\"\nC = 1\n";
        let step = |name: &str| Step::PythonString(name.into());
        assert_eq!(convert(&step("_B"), source.into()).unwrap(), b":00\n:01");
        assert!(convert(&step("B"), source.into()).is_err());
        assert!(convert(&step("_B"), source.replace(":01", "\\x41").into()).is_err());
    }

    #[test]
    fn zip_members_are_found_or_missed() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("a/b.bin", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(b"image").unwrap();
        let data = zip.finish().unwrap().into_inner();
        assert_eq!(convert(&Step::Zip("a/b.bin".into()), data.clone()).unwrap(), b"image");
        assert!(convert(&Step::Zip("b.bin".into()), data).unwrap_err().contains("b.bin"));
        assert!(convert(&Step::Zip("b.bin".into()), b"no zip".into()).is_err());
    }
}
