//! The host side of Sealift: the `sealift` command and what it is made of.
//!
//! | module | holds |
//! |---|---|
//! | [`cli`], [`cmd`], [`exit`] | the command line: arguments, one file a verb, exit codes |
//! | [`keys`] | Ed25519 keys in PEM files, as OpenSSL writes them |
//! | [`signer`] | who signs: keys in files, plain or encrypted, and keys on PKCS #11 tokens |
//! | [`package`] | making, signing and approving packages |
//! | [`provenance`] | where a release comes from, signed; and whether it is still that |
//! | [`rebuild`] | making a package's patch again, bit for bit |
//! | [`explain`] | every check of the verifier, with its outcome and the bytes it rests on |
//! | [`serve`] | a management and download server for trials |
//! | [`device`] | a simulated device that updates itself from such a server |
//! | [`device_capabilities`] | what a device can apply, as TOML and as the record of SPEC 8 |
//! | [`trust_card`] | trust records on smart cards |
//! | [`install`] | verifying and applying with the device's own code |
//! | [`rehearsal`] | updates on simulated flash, with the power cut on the way |
//! | [`release`] | `RELEASE.toml`, the release pipeline and its report |
//! | [`trust`] | editing trust records |
//! | [`documents`] | what device-management servers need: download descriptors |
//! | [`inspect`] | every file we write, for people and as JSON |
//! | [`html`] | what our pages have in common |
//! | [`output`] | files that appear whole or not at all |
//! | [`oma`] | the messages and trees of OMA DM, FUMO, SCOMO and LwM2M |
//! | [`image_input`] | images as files hold them, and as devices hold them |
//! | [`image_file`], [`memory_slot`] | storage for the device's applier: files, and a slot in memory |
//! | [`device_state`], [`time`], [`hex`], [`names`], [`progress`], [`machine`], [`interrupt`] | small things the rest shares |
//!
//! Library modules have typed errors; `anyhow` and its context belong to [`cmd`] alone.

pub mod cli;
pub mod cmd;
pub mod components;
pub mod device;
pub mod device_capabilities;
pub mod device_state;
pub mod documents;
pub mod exit;
pub mod explain;
pub mod hex;
pub mod html;
pub mod image_file;
pub mod image_input;
pub mod inspect;
pub mod install;
pub mod interrupt;
pub mod keys;
pub mod machine;
pub mod memory_slot;
pub mod names;
pub mod oma;
pub mod output;
pub mod package;
pub mod progress;
pub mod provenance;
pub mod rebuild;
pub mod rehearsal;
pub mod release;
pub mod serve;
pub mod signer;
pub mod time;
pub mod trust;
pub mod trust_card;
