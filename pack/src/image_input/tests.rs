//! What each format holds, and what is said of files that hold something else.

use std::fs;

use proptest::prelude::*;

use super::{Error, Fault, Format, Image, Segment, mcuboot::McuBoot, read};

/// The fault of `bytes`, as text.
#[track_caller]
fn refusal(bytes: &[u8], format: Format) -> String {
    read(bytes, format).expect_err("it should be refused").to_string()
}

#[track_caller]
fn made(bytes: &[u8], format: Format) -> Image {
    read(bytes, format).unwrap().expect("flat bytes of its own")
}

/// A line of Intel HEX with the right check sum.
fn hex_line(content: &[u8]) -> String {
    let sum = content.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte));
    format!(":{}{sum:02X}\r\n", crate::hex::encode(content).to_uppercase())
}

/// A line of S-records with the right length and check sum.
fn s_line(kind: u8, content: &[u8]) -> String {
    let length = u8::try_from(content.len() + 1).unwrap();
    let sum = !content.iter().fold(length, |sum, byte| sum.wrapping_add(*byte));
    format!("S{kind}{length:02X}{}{sum:02X}\n", crate::hex::encode(content).to_uppercase())
}

#[test]
fn intel_hex() {
    let upper = |address: u16| hex_line(&[&[2, 0, 0, 4][..], &address.to_be_bytes()].concat());
    let end = hex_line(&[0, 0, 0, 1]);
    let text = format!("{}{}{}{}{}", upper(0x0800), hex_line(&[2, 0, 4, 0, 7, 8]), hex_line(&[3, 0, 0, 0, 1, 2, 3]), hex_line(&[4, 0, 0, 5, 8, 0, 0, 1]), end);
    assert_eq!(Format::detect(text.as_bytes()), Format::IntelHex);
    let image = made(text.as_bytes(), Format::IntelHex);
    assert_eq!((&image[..], image.base, image.entry), (&[1, 2, 3, 0xff, 7, 8][..], Some(0x0800_0000), Some(0x0800_0001)));
    assert_eq!(image.segments, [Segment { address: 0x0800_0000, size: 3 }, Segment { address: 0x0800_0004, size: 2 }]);
    // 20-bit addresses; a file from a system that ends lines in its own way, with an empty one.
    let image = made(format!("{}\n\n{}{end}", hex_line(&[2, 0, 0, 2, 0x10, 0x00]), hex_line(&[1, 0, 2, 0, 9])).as_bytes(), Format::IntelHex);
    assert_eq!((&image[..], image.base), (&[9][..], Some(0x1_0002)));

    let data = hex_line(&[1, 0, 0, 0, 9]);
    for (text, expected) in [
        (data.clone(), "the end record is missing: the file is cut short"),
        (format!("{data}{end}{data}"), "line 3: something follows the end record"),
        (format!("{data}{}{end}", hex_line(&[1, 0, 0, 0, 9])), "the bytes at address 0x0 are given twice"),
        (format!("{}{end}", hex_line(&[2, 0xff, 0xff, 0, 1, 2])), "line 1: 2 bytes at 0xffff go beyond the 64 KiB that its address can name"),
        (format!("{data}:0100000009F5\n{end}"), "line 2: "),
        (format!("{data}:01000000\n{end}"), "line 2: "),
        (format!("{data}:zz\n{end}"), "line 2: "),
        (format!("{data}\u{e9}\n{end}"), "line 2: it has bytes that are not ASCII"),
        (end.clone(), "it has no bytes for a device"),
        (
            format!("{data}{}{}{end}", upper(0xffff), hex_line(&[1, 0xff, 0xff, 0, 7])),
            "it spans 4294967296 bytes, from 0x0 up to 0x100000000, and gives 2 of them: at most 16777224 for so many; the largest gap is from 0x1 to 0xffffffff",
        ),
    ] {
        let said = refusal(text.as_bytes(), Format::IntelHex);
        assert!(said.starts_with(expected), "{said}\n{expected}");
    }
}

#[test]
fn s_records() {
    let end = s_line(7, &[8, 0, 0, 1]);
    let text = format!("{}{}{}{}{end}", s_line(0, b"\0\0\xff name"), s_line(3, &[8, 0, 0, 4, 7, 8]), s_line(3, &[8, 0, 0, 0, 1, 2, 3]), s_line(5, &[0, 2]));
    assert_eq!(Format::detect(text.as_bytes()), Format::SRecord);
    let image = made(text.as_bytes(), Format::SRecord);
    assert_eq!((&image[..], image.base, image.entry), (&[1, 2, 3, 0xff, 7, 8][..], Some(0x0800_0000), Some(0x0800_0001)));
    for (kind, address) in [(1, &[0, 5][..]), (2, &[0, 0, 5])] {
        let image = made((s_line(kind, &[address, &[6]].concat()) + &s_line(9, &[0, 0])).as_bytes(), Format::SRecord);
        assert_eq!((&image[..], image.base), (&[6][..], Some(5)));
    }

    let data = s_line(1, &[0, 0, 9]);
    for (text, expected) in [
        (data.clone(), "the end record is missing: the file is cut short"),
        (format!("{data}{end}{data}"), "line 3: something follows the end record"),
        (format!("{data}{data}{end}"), "the bytes at address 0x0 are given twice"),
        (format!("{data}{}{end}", s_line(5, &[0, 2])), "line 2: 1 records of data come before it, and it counts 2"),
        (format!("{data}S1040001FFFA\n{end}"), "line 2: its check sum is fa, expected fb"),
        (format!("{data}S1050001FFFA\n{end}"), "line 2: 4 bytes follow its length, which is 5"),
        (format!("{data}S100\n{end}"), "line 2: its length is 0: it has no check sum"),
        (format!("{data}S1\n{end}"), "line 2: it ends before its length"),
        (format!("{data}S\n{end}"), "line 2: it ends after the `S`"),
        (format!("{data}S4030000FC\n{end}"), "line 2: there are no records S4"),
        (format!("{data}{}{end}", s_line(3, &[0, 0, 0])), "line 2: a record S3 without a whole address"),
        (format!("{data}S10x\n{end}"), "line 2: it has something else than pairs"),
        (format!("{data}T\n{end}"), "line 2: it does not begin with `S`"),
        (format!("{data}{}{end}", s_line(3, &[0xff, 0xff, 0xff, 0xff, 1])), "it spans 4294967296 bytes, from 0x0 up to 0x100000000"),
    ] {
        let said = refusal(text.as_bytes(), Format::SRecord);
        assert!(said.starts_with(expected), "{said}\n{expected}");
    }
}

const PICO: u32 = 0xe48b_ff56;

/// A block of UF2, written from the specification.
fn block(flags: u32, address: u32, number: u32, count: u32, family: u32, data: &[u8]) -> Vec<u8> {
    let size = u32::try_from(data.len()).unwrap();
    let mut bytes: Vec<u8> = [0x0a32_4655, 0x9e5d_5157, flags, address, size, number, count, family].iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    bytes.extend_from_slice(data);
    bytes.resize(508, 0);
    bytes.extend_from_slice(&0x0ab1_6f30_u32.to_le_bytes());
    bytes
}

#[test]
fn uf2() {
    let (one, two) = (vec![1; 256], vec![2; 256]);
    let comment = block(1, 0, 0, 1, 0, b"not for the flash");
    let file = [block(0x2000, 0x1000_0300, 1, 2, PICO, &two), comment, block(0x2000, 0x1000_0000, 0, 2, PICO, &one)].concat();
    assert_eq!(Format::detect(&file), Format::Uf2 { family: None });
    let image = made(&file, Format::Uf2 { family: None });
    assert_eq!((image.base, image.len()), (Some(0x1000_0000), 0x400));
    assert_eq!(image[..], [one.clone(), vec![0xff; 512], two.clone()].concat());

    // A second family: RP2350 files have such a block.
    let other = block(0x2000, 0x10ff_ff00, 0, 1, 0xe48b_ff57, &two);
    let both = [file.clone(), other].concat();
    let fault = read(&both, Format::Uf2 { family: None }).unwrap_err();
    assert_eq!(fault, Fault::Families { found: vec![PICO, 0xe48b_ff57] });
    assert_eq!(fault.to_string(), "it is for several families of devices: 0xe48bff56 (RP2040), 0xe48bff57 (RP2 absolute)");
    assert_eq!(made(&both, "uf2:0xe48bff56".parse().unwrap())[..], image[..]);
    assert_eq!(made(&both, Format::Uf2 { family: Some(0xe48b_ff57) }).base, Some(0x10ff_ff00));
    assert_eq!(refusal(&both, Format::Uf2 { family: Some(7) }), "it has no bytes for a device");

    let mut bad_end = file.clone();
    bad_end[511] ^= 1;
    let first = block(0x2000, 0, 0, 2, PICO, &one);
    for (file, expected) in [
        (file[..1000].to_vec(), "block 1: it has 488 bytes of 512: the file is cut short"),
        (file[..1024].to_vec(), "block 0: it is of 2 blocks for 0xe48bff56 (RP2040), and 1 are there"),
        (bad_end, "block 0: at byte 508 is 0x0bb16f30, expected 0x0ab16f30"),
        ([first.clone(), first.clone()].concat(), "block 1: its number 0 was there before"),
        ([first.clone(), block(0x2000, 256, 9, 2, PICO, &two)].concat(), "block 1: its number is 9, of 2"),
        ([first.clone(), block(0x2000, 128, 1, 2, PICO, &two)].concat(), "the bytes at address 0x80 are given twice"),
        (block(0x1000, 0, 0, 1, 0, &one), "block 0: it is part of a file, not of an image"),
        ([first, block(0x2000, 0xffff_ff00, 1, 2, PICO, &two)].concat(), "it spans 4294967296 bytes, from 0x0"),
    ] {
        assert!(refusal(&file, Format::Uf2 { family: None }).starts_with(expected), "{}\n{expected}", refusal(&file, Format::Uf2 { family: None }));
    }
    let mut large = block(0x2000, 0, 0, 1, PICO, &one);
    large[16..20].copy_from_slice(&477_u32.to_le_bytes());
    assert_eq!(refusal(&large, Format::Uf2 { family: None }), "block 0: 477 bytes are for the device, at most 476");
}

/// An ELF file of 32 bits with these segments: kind, offset, physical address, bytes in the file.
fn elf(kind: u16, segments: &[(u32, u32, u32, u32)], content: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let halves = |values: &[u16]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    let words = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    bytes.extend(halves(&[kind, 40]));
    bytes.extend(words(&[1, 0x0800_0001, 52, 0, 0]));
    bytes.extend(halves(&[52, 32, u16::try_from(segments.len()).unwrap(), 40, 0, 0]));
    for (kind, offset, address, size) in segments {
        bytes.extend(words(&[*kind, *offset, 0x2000_0000, *address, *size, size * 2, 5, 4]));
    }
    bytes.resize(0x100, 0);
    bytes.extend_from_slice(content);
    bytes
}

#[test]
fn elf_segments() {
    let file = elf(2, &[(1, 0x103, 0x0800_0008, 2), (1, 0x100, 0x0800_0000, 3), (1, 0, 0x2000_0000, 0)], &[1, 2, 3, 4, 5]);
    assert_eq!(Format::detect(&file), Format::Elf);
    let image = made(&file, Format::Elf);
    assert_eq!((&image[..], image.base, image.entry), (&[1, 2, 3, 255, 255, 255, 255, 255, 4, 5][..], Some(0x0800_0000), Some(0x0800_0001)));
    // A linker without physical addresses.
    assert_eq!(made(&elf(2, &[(1, 0x100, 0, 3)], &[1, 2, 3]), Format::Elf).base, Some(0x2000_0000));
    // What an operating system loads is on the device as it is: shared objects, and programs that ask for an interpreter.
    for file in [elf(3, &[(1, 0x100, 8, 3)], &[1, 2, 3]), elf(2, &[(1, 0x100, 8, 3), (3, 0x100, 0, 3)], &[1, 2, 3])] {
        assert_eq!(Format::detect(&file), Format::Raw);
        assert_eq!(made(&file, Format::Elf)[..], [1, 2, 3]);
    }
    for (file, expected) in [
        (elf(2, &[(1, 0x100, 8, 4)], &[1, 2, 3]), "the segment for address 0x8 is 4 bytes from 256 on, and the file has 259"),
        (elf(2, &[(1, 0xffff_ffff, 8, 4)], &[1, 2, 3]), "the segment for address 0x8 is 4 bytes from 4294967295 on"),
        (elf(2, &[(1, 0x100, 8, 3), (1, 0x100, 9, 3)], &[1, 2, 3]), "the bytes at address 0x9 are given twice"),
        (elf(2, &[(1, 0x100, 8, 1), (1, 0x100, 0xffff_fff0, 3)], &[1, 2, 3]), "it spans 4294967275 bytes, from 0x8 up to 0xfffffff3"),
        (elf(2, &[(6, 0x100, 8, 1)], &[1]), "it has no bytes for a device"),
        (elf(2, &[(1, 0, 0x1000, 0x103), (1, 0, 0x2000, 0x103)], &[1, 2, 3]), "the segments have 518 bytes in all, and the file 259"),
        (file[..40].to_vec(), ""),
        (file[..60].to_vec(), ""),
        (b"no ELF".to_vec(), "it does not begin as an ELF file"),
    ] {
        assert!(refusal(&file, Format::Elf).starts_with(expected), "{}\n{expected}", refusal(&file, Format::Elf));
    }
    // Cut short, it is still known for what it is.
    assert_eq!((Format::detect(&file[..40]), Format::detect(&file[..60])), (Format::Elf, Format::Elf));
}

/// An image for MCUboot, written from its documentation.
fn mcuboot(flags: u32, protected: &[u8], entries: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x3d, 0xb8, 0xf3, 0x96];
    bytes.extend_from_slice(&0x2000_4000_u32.to_le_bytes());
    bytes.extend_from_slice(&[0x40, 0]);
    bytes.extend_from_slice(&u16::try_from(protected.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(&4_u32.to_le_bytes());
    bytes.extend_from_slice(&flags.to_le_bytes());
    bytes.extend_from_slice(&[1, 2, 3, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
    bytes.resize(0x40, 0);
    bytes.extend_from_slice(b"code");
    [&bytes[..], protected, entries].concat()
}

#[test]
fn mcuboot_images_are_kept_whole() {
    let protected = [0x08, 0x69, 12, 0, 0x50, 0, 4, 0, 9, 0, 0, 0];
    let entries = [0x07, 0x69, 10, 0, 0x24, 0, 2, 0, 0xaa, 0xbb];
    let file = [mcuboot(0x20, &protected, &entries), vec![0xff; 5]].concat();
    assert_eq!(Format::detect(&file), Format::McuBoot);
    assert!(read(&file, Format::McuBoot).unwrap().is_none(), "the file is the image");
    let told = McuBoot::read(&file).unwrap();
    assert_eq!((told.version.as_str(), told.header_bytes, told.code_bytes, told.security_counter), ("1.2.3+4", 0x40, 4, Some(9)));
    let names: Vec<_> = told.entries.iter().map(|entry| (entry.name.as_str(), entry.size, entry.protected)).collect();
    assert_eq!((names, told.bytes_behind), (vec![("SEC_CNT", 4, true), ("ED25519", 2, false)], 5));
    assert_eq!((told.load_address(), told.digest_holds), (Some(0x2000_4000), None));
    assert_eq!(McuBoot::read(&mcuboot(0, &protected, &entries)).unwrap().load_address(), None);

    let whole = mcuboot(0, &protected, &entries);
    let changed = |at: usize, to: u8| {
        let mut bytes = whole.clone();
        bytes[at] = to;
        bytes
    };
    for (file, expected) in [
        (whole[..20].to_vec(), "the header has 32 bytes, and the file 20"),
        (whole[..0x42].to_vec(), "header and code have 68 bytes, and the file 66: it is cut short"),
        (whole[..0x46].to_vec(), "the trailer at byte 68: it is not there, the file has 70 bytes"),
        (whole[..0x48].to_vec(), "the trailer at byte 68: it says that it has 12 bytes, and 4 are there"),
        (whole[..whole.len() - 1].to_vec(), "the trailer at byte 80: it says that it has 10 bytes, and 9 are there"),
        (changed(0, 0), "it begins with 0x96f3b800, expected 0x96f3b83d"),
        (changed(8, 31), "the header says that it has 31 bytes, expected 32 or more"),
        (changed(10, 11), "the trailer at byte 68: it has 12 bytes, and the header says 11"),
        (changed(0x44, 7), "the trailer at byte 68: it begins with 0x6907, expected 0x6908"),
        (changed(0x4a, 9), "the trailer at byte 68: the entry at byte 72 has 9 bytes, more than are left"),
        (changed(0x52, 3), "the trailer at byte 80: it says that it has 3 bytes"),
    ] {
        assert!(refusal(&file, Format::McuBoot).starts_with(expected), "{}\n{expected}", refusal(&file, Format::McuBoot));
    }
}

#[test]
fn files_are_told_apart_and_errors_name_them() {
    for raw in [&b""[..], b":", b":hello, world", b"S1", b"SLP", b"\x7fELF", b"UF2\n", &[0x3d, 0xb8, 0xf3], &[0, 0, 1, 0x20]] {
        let expected = if raw == b"\x7fELF" { Format::Elf } else { Format::Raw };
        // Four bytes of an ELF header are no ELF file to anybody.
        assert!(matches!(Format::detect(raw), Format::Raw) || Format::detect(raw) == expected, "{raw:?}");
    }
    for name in ["raw", "mcuboot", "elf", "ihex", "srec", "uf2", "uf2:0xe48bff56"] {
        assert_eq!(name.parse::<Format>().unwrap().to_string(), name);
    }
    for wrong in ["", "hex", "uf2:", "uf2:7", "uf2:0x", "uf2:0x100000000"] {
        assert!(wrong.parse::<Format>().unwrap_err().contains("expected raw"), "{wrong}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.hex");
    fs::write(&path, hex_line(&[1, 0, 0, 0, 9])).unwrap();
    let error = Image::open(&path, None).unwrap_err();
    assert!(matches!(error, Error::Form { format: Format::IntelHex, .. }) && error.hint().contains("--input-format raw"), "{error}");
    assert!(error.to_string().ends_with("app.hex is no image of the format ihex: the end record is missing: the file is cut short"), "{error}");
    let raw = Image::open(&path, Some(Format::Raw)).unwrap();
    assert_eq!((&raw[..], raw.base), (&fs::read(&path).unwrap()[..], None));
}

const ALL: [Format; 6] = [Format::Raw, Format::McuBoot, Format::Elf, Format::IntelHex, Format::SRecord, Format::Uf2 { family: None }];

/// Files of every format that are right.
fn right() -> Vec<Vec<u8>> {
    vec![
        (hex_line(&[2, 0, 0, 4, 8, 0]) + &hex_line(&[3, 0, 0, 0, 1, 2, 3]) + &hex_line(&[0, 0, 0, 1])).into_bytes(),
        (s_line(0, b"\0\0name") + &s_line(3, &[8, 0, 0, 0, 1, 2, 3]) + &s_line(7, &[8, 0, 0, 1])).into_bytes(),
        [block(0x2000, 0, 0, 2, PICO, &[1; 256]), block(0x2000, 256, 1, 2, PICO, &[2; 256])].concat(),
        elf(2, &[(1, 0x100, 0x0800_0000, 3), (4, 0x100, 0, 3)], &[1, 2, 3]),
        mcuboot(0x20, &[0x08, 0x69, 12, 0, 0x50, 0, 4, 0, 9, 0, 0, 0], &[0x07, 0x69, 10, 0, 0x24, 0, 2, 0, 0xaa, 0xbb]),
    ]
}

proptest! {
    /// Whatever the bytes are: an image of bounded size, or a fault.
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for format in ALL.into_iter().chain([Format::detect(&bytes)]) {
            if let Ok(Some(image)) = read(&bytes, format) {
                prop_assert!(image.len() <= 4 * bytes.len() + (16 << 20));
            }
        }
    }

    /// The same of files that are nearly right, which get further.
    #[test]
    fn nothing_panics_on_damage(which in 0..5_usize, changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in any::<prop::sample::Index>()) {
        let mut bytes = right().swap_remove(which);
        for (at, to) in changes {
            let at = at.index(bytes.len());
            bytes[at] = to;
        }
        let cut = bytes.len() - cut.index(bytes.len()) / 4;
        for bytes in [&bytes[..], &bytes[..cut]] {
            for format in ALL.into_iter().chain([Format::detect(bytes)]) {
                if let Ok(Some(image)) = read(bytes, format) {
                    prop_assert!(image.len() <= 4 * bytes.len() + (16 << 20));
                }
            }
        }
    }
}
