//! Images as other tools write them: one firmware in every format gives the same patches and packages.
//!
//! The ELF file is our own firmware, linked here; GNU objcopy makes the others of it, imgtool (of MCUboot) signs it. UF2 has a reference of
//! its own in `pack/src/image_input/tests.rs`.

mod common;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::Workshop;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Runs a tool in the workshop; `false`, said aloud: it is not there.
fn tool<S: AsRef<OsStr>>(shop: &Workshop, name: &str, args: impl IntoIterator<Item = S>) -> bool {
    match Command::new(name).args(args).current_dir(shop.folder.path()).output() {
        Err(_) => {
            common::skipped(name);
            false
        }
        Ok(output) => {
            assert!(output.status.success(), "{name}: {}", common::text(&output));
            true
        }
    }
}

/// Links the firmware of `testdata` as NAME.elf, and makes NAME.bin of it.
fn firmware(shop: &Workshop, name: &str, version: &str, overlay: &str) -> bool {
    let firmware = root().join("testdata/firmware");
    let mut args: Vec<String> = ["-mcpu=cortex-m3", "-mthumb", "-Os", "-std=c11", "-ffreestanding", "-fno-common", "-ffunction-sections", "-fdata-sections"]
        .map(str::to_owned)
        .to_vec();
    args.extend(["-fno-tree-loop-distribute-patterns", "-nostdlib", "-static", "-Wl,--gc-sections", "-Wl,--build-id=none", "-T"].map(str::to_owned));
    args.push(firmware.join("link.ld").display().to_string());
    args.extend([format!("-DFIRMWARE_VERSION={version}"), format!("-DFIRMWARE_NAME=\"{name}\""), "-o".into(), format!("{name}.elf")]);
    for folder in ["src", overlay].map(|folder| firmware.join(folder)) {
        args.extend(["-I".into(), folder.display().to_string()]);
        let mut sources: Vec<PathBuf> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.extension() == Some(OsStr::new("c"))).collect();
        sources.sort();
        args.extend(sources.iter().map(|path| path.display().to_string()));
    }
    args.push("-lgcc".into());
    let (elf, bin) = (format!("{name}.elf"), format!("{name}.bin"));
    tool(shop, "arm-none-eabi-gcc", &args) && tool(shop, "arm-none-eabi-objcopy", ["-O", "binary", &elf, &bin])
}

fn inspect(shop: &Workshop, file: &str) -> Value {
    serde_json::from_str(&shop.ok(["inspect", file, "--json"])).unwrap()
}

/// What is added to the address that `link.ld` has.
const MOVED: &str = "--change-addresses=0x08000000";
/// Where the firmware is then.
const BASE: &str = "0x08010000";

#[test]
fn every_format_of_a_firmware_is_the_same_image() {
    let shop = Workshop::new();
    if !firmware(&shop, "old", "0x0100", "v1") || !firmware(&shop, "new", "0x0200", "v2") {
        return;
    }
    for name in ["old", "new"] {
        let [elf, moved_elf, ihex, srec] = ["elf", "moved.elf", "hex", "srec"].map(|end| format!("{name}.{end}"));
        for (format, output) in [("elf32-littlearm", &moved_elf), ("ihex", &ihex), ("srec", &srec)] {
            tool(&shop, "arm-none-eabi-objcopy", ["-O", format, MOVED, &elf, output]);
        }
        let image = shop.read(&format!("{name}.bin"));
        let digest = sealift::hex::encode(&sealift::package::image_id(&image).digest);
        for (file, format, base) in [(&elf, "elf", 0x1_0000), (&moved_elf, "elf", 0x0801_0000), (&ihex, "ihex", 0x0801_0000), (&srec, "srec", 0x0801_0000_u64)]
        {
            let shown = inspect(&shop, file);
            assert_eq!(
                (shown["format"].as_str(), shown["base"].as_u64(), shown["size"].as_u64()),
                (Some(format), Some(base), Some(image.len() as u64)),
                "{file}"
            );
            assert_eq!(shown["sha256"], digest, "{file}");
        }
    }
    // The address goes into the patch, as if it had been said.
    let options = ["--profile", "compact", "--ram", "64K"];
    let delta = |args: &[&str]| assert!(shop.command(["delta"].iter().chain(args).chain(&options)).status().unwrap().success());
    delta(&["old.bin", "new.bin", "-o", "said.patch", "--base", BASE]);
    delta(&["old.bin", "new.bin", "-o", "unsaid.patch"]);
    delta(&["old.hex", "new.moved.elf", "-o", "found.patch"]);
    assert_eq!(shop.read("found.patch"), shop.read("said.patch"));
    assert_ne!(shop.read("unsaid.patch"), shop.read("said.patch"), "the address makes a difference");
    for old in ["old.bin", "old.srec", "old.moved.elf"] {
        shop.ok(["apply", old, "found.patch", "-o", "made"]);
        assert_eq!(shop.read("made"), shop.read("new.bin"), "{old}");
    }
    // The file itself, where the device has it: text records, at no address.
    delta(&["old.hex", "new.hex", "-o", "text.patch", "--input-format", "raw"]);
    shop.ok(["apply", "old.hex", "text.patch", "-o", "made", "--input-format", "raw"]);
    assert_eq!(shop.read("made"), shop.read("new.hex"));
    let said = shop.fails(1, ["delta", "old.hex", "new.hex", "-o", "x", "--input-format", "uf2"]);
    assert!(said.contains("old.hex is no image of the format uf2: block 0: at byte 0 is ") && said.contains("hint: "), "{said}");
}

#[test]
fn gaps_are_erased_flash() {
    let shop = Workshop::new();
    if !firmware(&shop, "app", "0x0100", "v1") {
        return;
    }
    shop.write("table", b"a table far behind the code");
    let flags = ["--add-section", ".table=table", "--set-section-flags", ".table=alloc,load,readonly,data", "--change-section-address", ".table=0x20000"];
    for (format, output) in [("ihex", "app.hex"), ("srec", "app.srec")] {
        tool(&shop, "arm-none-eabi-objcopy", flags.iter().chain(&["-O", format, "app.elf", output]));
    }
    let mut image = shop.read("app.bin");
    image.resize(0x10000, 0xff);
    image.extend_from_slice(b"a table far behind the code");
    for file in ["app.hex", "app.srec"] {
        let shown = inspect(&shop, file);
        assert_eq!(shown["sha256"], sealift::hex::encode(&sealift::package::image_id(&image).digest), "{file}");
        assert_eq!(shown["segments"].as_array().unwrap().last().unwrap(), &serde_json::json!({ "address": 0x20000, "size": 27 }));
    }
}

#[test]
fn a_release_of_other_formats_has_the_packages_of_the_flat_images() {
    let shop = Workshop::new();
    if !firmware(&shop, "old", "0x0100", "v1") || !firmware(&shop, "new", "0x0200", "v2") {
        return;
    }
    shop.keys();
    for version in ["1.0", "1.1"] {
        fs::create_dir_all(shop.path("field").join(version)).unwrap();
        tool(&shop, "arm-none-eabi-objcopy", ["-O", "ihex", MOVED, if version == "1.0" { "old.elf" } else { "new.elf" }, &format!("field/{version}/app.hex")]);
    }
    tool(&shop, "arm-none-eabi-objcopy", ["-O", "srec", MOVED, "new.elf", "new.srec"]);
    let release = |new: &str, old: &str| {
        format!(
            "[release]\nproduct = \"lamp\"\nversion = \"2.0\"\nsequence = 20\ncomponent = \"app\"\nvendor = \"example.com\"\nclass = \"lamp\"\nnew = \"{new}\"\n\
             [delta]\nprofile = \"compact\"\nram = 65536\n{old}\n[signing]\nkey = \"oem.key.pem\"\n"
        )
    };
    shop.write("found.toml", release("new.srec", "[[old]]\nglob = \"field/*/app.hex\""));
    let flat = format!("base = {BASE}\n[[old]]\nversion = \"1.0\"\npath = \"old.bin\"\n[[old]]\nversion = \"1.1\"\npath = \"new.bin\"");
    shop.write("flat.toml", release("new.bin", &flat));
    shop.ok(["pack", "found.toml", "-o", "found"]);
    shop.ok(["pack", "flat.toml", "-o", "flat"]);
    // The report and the provenance are of another release file; what devices get is the same.
    let packages = |dist: &str| shop.tree(dist).into_iter().filter(|(name, _)| name.starts_with("lamp-")).collect::<Vec<_>>();
    assert!(packages("found") == packages("flat") && packages("found").len() > 10);
    shop.ok(["rebuild", "found/lamp-2.0-from-1.0.suit", "--old", "field/1.0/app.hex", "--new", "new.srec"]);
    shop.ok(["rebuild", "found/lamp-2.0-full.suit", "--new", "new.elf"]);
    shop.approve("found/lamp-2.0-from-1.0.suit", "approved");
    shop.ok(["verify", "approved", "--trust", "trust", "--old", "field/1.0/app.hex", "--at", common::NOW]);
    shop.ok(["rehearse", "approved", "--trust", "trust", "--old", "field/1.0/app.hex", "--at", common::NOW, "--cuts", "3", "--geometry", "stm32l4"]);
    shop.write("field/1.1/app.hex", ":00000001FE\n");
    let said = shop.fails(1, ["pack", "found.toml", "-o", "found"]);
    assert!(said.contains("cannot read the image") && said.contains("field/1.1/app.hex is no image of the format ihex: line 1: "), "{said}");
}

#[test]
fn images_for_mcuboot_are_kept_byte_for_byte() {
    let python = root().join("target/oracles/bin/python");
    let imgtool = |shop: &Workshop, args: &[&str]| {
        let output = Command::new(&python).args(["-m", "imgtool.main"]).args(args).current_dir(shop.folder.path()).output().unwrap();
        assert!(output.status.success(), "imgtool {args:?}: {}", common::text(&output));
    };
    let there = Command::new(&python).args(["-c", "import imgtool"]).output().is_ok_and(|output| output.status.success());
    if !there {
        common::skipped("imgtool in target/oracles");
        return;
    }
    let shop = Workshop::new();
    for (name, version) in [("old", "1.0"), ("new", "2.0")] {
        shop.write(&format!("{name}.bin"), fs::read(root().join(format!("testdata/images/app-{version}.bin"))).unwrap());
    }
    imgtool(&shop, &["keygen", "-k", "key.pem", "-t", "ed25519"]);
    for (name, version) in [("old", "1.0.7+3"), ("new", "2.0.0")] {
        let (input, output) = (format!("{name}.bin"), format!("{name}.signed"));
        let sizes = ["--header-size", "0x200", "--pad-header", "--slot-size", "0x20000", "--align", "4", "--security-counter", "5"];
        imgtool(&shop, &[&["sign", "--key", "key.pem", "--version", version], &sizes[..], &[&input, &output]].concat());
        let shown = inspect(&shop, &output);
        assert_eq!((shown["format"].as_str(), shown["size"].as_u64()), (Some("mcuboot"), Some(shop.read(&output).len() as u64)));
        let said = &shown["mcuboot"];
        assert_eq!((said["version"].as_str(), said["header_bytes"].as_u64()), (Some(if name == "old" { version } else { "2.0.0+0" }), Some(0x200)));
        assert_eq!((said["code_bytes"].as_u64(), said["security_counter"].as_u64()), (Some(shop.read(&input).len() as u64), Some(5)));
        assert_eq!((said["digest_holds"].as_bool(), said["bytes_behind"].as_u64()), (Some(true), Some(0)), "{said}");
        let names: Vec<_> = said["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
        assert!(["SEC_CNT", "SHA256", "ED25519"].iter().all(|name| names.contains(name)), "{names:?}");
    }
    shop.ok(["delta", "old.signed", "new.signed", "-o", "patch"]);
    shop.ok(["apply", "old.signed", "patch", "-o", "made"]);
    assert_eq!(shop.read("made"), shop.read("new.signed"));
    // A byte of the code is changed: what the trailer says no longer holds, and the image is what it is.
    let mut broken = shop.read("new.signed");
    broken[0x300] ^= 1;
    shop.write("broken.signed", &broken);
    assert_eq!(inspect(&shop, "broken.signed")["mcuboot"]["digest_holds"], false);
    shop.write("cut.signed", &broken[..0x300]);
    assert!(shop.fails(1, ["delta", "old.signed", "cut.signed", "-o", "x"]).contains("it is cut short"));
    // Inside records with addresses, header and trailer are bytes like all others.
    if !tool(&shop, "arm-none-eabi-objcopy", ["-I", "binary", "-O", "ihex", "--change-addresses=0xc000", "new.signed", "new.hex"]) {
        return;
    }
    let shown = inspect(&shop, "new.hex");
    assert_eq!((shown["base"].as_u64(), shown["mcuboot"]["version"].as_str()), (Some(0xc000), Some("2.0.0+0")));
    assert!(shop.ok(["inspect", "new.hex"]).contains(&format!("{} bytes, at 0x0000c200", shop.read("new.bin").len())));
}
