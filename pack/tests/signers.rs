//! Keys that are not plain files: encrypted PEM as OpenSSL writes it, and keys on a PKCS #11 token (softhsm2) that never leave it.

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use common::Workshop;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::Attribute;
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;

const FULL: &str = "dist/lamp-2.0-full.suit";
const PIN: &str = "94517";
/// Set for the run of [`key_on_the_token`] in a process of its own: the PKCS #11 module reads its configuration once.
const CHILD: &str = "SEALIFT_TEST_TOKEN_CHILD";

fn module() -> Option<PathBuf> {
    let places = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"];
    places.map(PathBuf::from).into_iter().find(|path| path.exists())
}

/// Makes the key pair in the token. Does something in a process of its own only.
#[test]
fn key_on_the_token() {
    let Ok(keys) = std::env::var(CHILD) else { return };
    let context = Pkcs11::new(module().unwrap()).unwrap();
    context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slot = context.get_slots_with_initialized_token().unwrap()[0];
    let session = context.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::from(PIN.to_owned()))).unwrap();
    for (index, name) in (1..).zip(keys.split(',')) {
        let common = [Attribute::Token(true), Attribute::Label(name.as_bytes().to_vec()), Attribute::Id(vec![index])];
        let curve = Attribute::EcParams(b"\x13\x0cedwards25519".to_vec());
        let public = [&common[..], &[Attribute::Private(false), Attribute::Verify(true), curve]].concat();
        let sensitive = [Attribute::Private(true), Attribute::Sensitive(true), Attribute::Extractable(false), Attribute::Sign(true)];
        let private = [&common[..], &sensitive].concat();
        session.generate_key_pair(&Mechanism::EccEdwardsKeyPairGen, &public, &private).unwrap();
    }
}

struct Token<'a> {
    shop: &'a Workshop,
    module: PathBuf,
}

impl<'a> Token<'a> {
    /// A token of its own in the workshop's folder, with two keys.
    fn new(shop: &'a Workshop) -> Option<Self> {
        let Some(module) = module() else {
            common::skipped("softhsm2");
            return None;
        };
        fs::create_dir(shop.path("tokens")).unwrap();
        shop.write("softhsm2.conf", format!("directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n", shop.path("tokens").display()));
        shop.write("pin", format!("{PIN}\n"));
        let token = Token { shop, module };
        let mut init = Command::new("softhsm2-util");
        init.args(["--init-token", "--free", "--label", "release keys", "--so-pin", "12345678", "--pin", PIN]);
        if !token.in_it(&mut init).is_ok_and(|output| output.status.success()) {
            common::skipped("softhsm2-util");
            return None;
        }
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "key_on_the_token"]).env(CHILD, "oem,operator");
        let output = token.in_it(&mut child).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        Some(token)
    }

    fn in_it(&self, command: &mut Command) -> std::io::Result<Output> {
        command.env("SOFTHSM2_CONF", self.shop.path("softhsm2.conf")).output()
    }

    fn uri(&self, object: &str) -> String {
        format!(
            "pkcs11:token=release%20keys;object={object};type=private?module-path={}&pin-source=file:{}",
            self.module.display(),
            self.shop.path("pin").display()
        )
    }

    fn run(&self, args: &[&str]) -> Output {
        self.in_it(&mut self.shop.command(args)).unwrap()
    }

    #[track_caller]
    fn ok(&self, args: &[&str]) {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", common::text(&output));
    }

    #[track_caller]
    fn fails(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", common::text(&output));
        common::text(&output)
    }

    /// The public half, in a PEM file.
    fn public(&self, object: &str, role: &str) -> String {
        let name = format!("{object}-token");
        self.ok(&["keygen", "--role", role, "--signer", &self.uri(object), "-o", &name]);
        assert!(!self.shop.exists(&format!("{name}.key.pem")));
        format!("{name}.pub.pem")
    }
}

#[test]
fn a_token_signs_and_approves_with_keys_that_never_leave_it() {
    let shop = Workshop::with_release();
    let Some(token) = Token::new(&shop) else { return };
    let (oem, operator) = (token.uri("oem"), token.uri("operator"));
    shop.write("unsigned.toml", common::release(20, "lamp-mk2").replace("[signing]\nkey = \"oem.key.pem\"\n", ""));
    shop.ok(["pack", "unsigned.toml", "-o", "unsigned"]);
    let package = "unsigned/lamp-2.0-full.suit";

    token.ok(&["sign", package, "--signer", &oem, "-o", "once"]);
    token.ok(&["sign", package, "--signer", &oem, "-o", "twice"]);
    assert!(shop.read("once") == shop.read("twice"), "signing twice gives the same bytes");
    token.ok(&["approve", "once", "--signer", &operator, "--operator", "310-410", "--epoch", "3", "-o", "approval"]);
    shop.ok(["attach", "once", "approval", "-o", "approved"]);

    let (oem_public, operator_public) = (token.public("oem", "oem"), token.public("operator", "operator"));
    shop.ok(["trust", "new", "-o", "token-trust", "--key", &oem_public, "--role", "oem"]);
    shop.ok(["trust", "add", "token-trust", "--key", &operator_public, "--role", "operator"]);
    shop.ok(["trust", "policy", "token-trust", "--class", "any", "--require", "oem=1", "--require", "operator=1"]);
    assert!(shop.ok(["verify", "approved", "--trust", "token-trust"]).starts_with("accepted"));
    assert!(shop.fails(3, ["verify", "once", "--trust", "token-trust"]).contains("(code 310)"));

    // The trust record too, in place of one that the token's key is in.
    shop.ok(["trust", "floor", "token-trust", "--sequence", "7", "-o", "next-trust"]);
    token.ok(&["trust", "sign", "next-trust", "--signer", &oem]);
    shop.ok(["trust", "accept", "token-trust", "next-trust"]);
    assert!(shop.read("token-trust") == shop.read("next-trust"));
}

/// All files of a release but the provenance, which names the release file by its digest, and here that is another one each time.
fn made(shop: &Workshop, folder: &str) -> Vec<(String, Vec<u8>)> {
    shop.tree(folder).into_iter().filter(|(name, _)| name != "provenance.intoto.json").collect()
}

#[test]
fn a_release_is_signed_by_a_token_and_by_an_encrypted_key() {
    let shop = Workshop::with_release();
    let Some(token) = Token::new(&shop) else { return };
    let unsigned = common::release(20, "lamp-mk2").replace("[signing]\nkey = \"oem.key.pem\"\n", "");
    shop.write("unsigned.toml", &unsigned);
    // By the release file; by the command line; and package by package afterwards: the same bytes.
    shop.write("token.toml", format!("{unsigned}[signing]\nkey = \"{}\"\n", token.uri("oem")));
    token.ok(&["pack", "token.toml", "-o", "by-file"]);
    token.ok(&["pack", "unsigned.toml", "-o", "by-signer", "--signer", &token.uri("oem")]);
    assert!(made(&shop, "by-file") == made(&shop, "by-signer"));
    shop.ok(["pack", "unsigned.toml", "-o", "unsigned"]);
    token.ok(&["sign", "unsigned/lamp-2.0-full.suit", "--signer", &token.uri("oem"), "-o", "once"]);
    assert!(shop.read("once") == shop.read("by-file/lamp-2.0-full.suit"));
    let public = token.public("oem", "oem");
    shop.ok(["trust", "new", "-o", "token-trust", "--key", &public, "--role", "oem"]);
    shop.ok(["trust", "policy", "token-trust", "--class", "any", "--require", "oem=1"]);
    assert!(shop.ok(["verify", "once", "--trust", "token-trust"]).starts_with("accepted"));

    // Without its source in the URI the PIN comes from where the passphrase does.
    let bare = token.uri("oem").split("&pin-source").next().unwrap().to_owned();
    token.ok(&["pack", "unsigned.toml", "-o", "by-pin", "--signer", &bare, "--passphrase-file", "pin"]);
    assert!(made(&shop, "by-file") == made(&shop, "by-pin"));
    shop.write("bare.toml", format!("{unsigned}[signing]\nkey = \"{bare}\"\npassphrase-file = \"pin\"\n"));
    token.ok(&["pack", "bare.toml", "-o", "by-bare"]);
    assert!(made(&shop, "by-file") == made(&shop, "by-bare"));
    shop.write("wrong-pin", "00000\n");
    let error = token.fails(&["pack", "unsigned.toml", "-o", "x", "--signer", &bare, "--passphrase-file", "wrong-pin"]);
    assert!(error.contains("refuses the PIN") && error.contains("hint: ") && !error.contains("00000"), "{error}");
    assert!(!shop.exists("x"));
}

#[test]
fn a_release_is_signed_by_an_encrypted_key() {
    let shop = Workshop::with_release();
    shop.write("pass", "correct horse\n");
    let encrypt = ["pkcs8", "-topk8", "-in", "oem.key.pem", "-out", "locked.pem", "-passout", "file:pass", "-v2", "aes-256-cbc"];
    if !Command::new("openssl").args(encrypt).current_dir(shop.folder.path()).output().is_ok_and(|output| output.status.success()) {
        common::skipped("openssl");
        return;
    }
    let locked = common::release(20, "lamp-mk2").replace("key = \"oem.key.pem\"", "key = \"locked.pem\"\npassphrase-file = \"pass\"");
    shop.write("locked.toml", &locked);
    shop.ok(["pack", "locked.toml", "-o", "locked"]);
    assert!(made(&shop, "dist") == made(&shop, "locked"));
    // The command line goes before the file; without either there is nobody to ask.
    shop.write("wrong", "battery staple\n");
    let error = shop.fails(1, ["pack", "locked.toml", "-o", "x", "--passphrase-file", "wrong"]);
    assert!(error.contains("cannot decrypt") && !error.contains("battery"), "{error}");
    shop.write("silent.toml", locked.replace("passphrase-file = \"pass\"", ""));
    let error = shop.fails(1, ["pack", "silent.toml", "-o", "x"]);
    assert!(error.contains("no terminal to ask at") && error.contains("--passphrase-file"), "{error}");
    let output = shop.command(["pack", "silent.toml", "-o", "by-env", "--passphrase-env", "KEY_PASS"]).env("KEY_PASS", "correct horse").output().unwrap();
    assert!(output.status.success() && made(&shop, "dist") == made(&shop, "by-env"), "{}", common::text(&output));
    assert!(!shop.exists("x"));
}

#[test]
fn what_is_wrong_with_a_token_is_said() {
    let shop = Workshop::with_release();
    let Some(token) = Token::new(&shop) else { return };
    let uri = token.uri("oem");
    for (wrong, words) in [
        (uri.replace("release%20keys", "other"), "0 tokens are as the URI says, expected one (there: release keys)"),
        (uri.replace("object=oem", "object=nobody"), "0 private keys are as the URI says"),
        (uri.replace("object=oem;", "object=oem;id=%07;"), "0 private keys are as the URI says"),
        (uri.replace("libsofthsm2.so", "no-such.so"), "cannot use the PKCS #11 module"),
        (uri.replace("&pin-source=", "&pin-value=1&pin-source="), "shows the PIN"),
        ("pkcs11:token=a".into(), "neither the key's label"),
        ("key.pem".into(), "is no signer"),
    ] {
        let error = token.fails(&["sign", FULL, "--signer", &wrong, "-o", "x"]);
        assert!(error.contains(words) && error.contains("hint: "), "{wrong}: {error}");
    }
    shop.write("pin", "00000\n");
    let error = token.fails(&["sign", FULL, "--signer", &uri, "-o", "x"]);
    assert!(error.contains("refuses the PIN") && !error.contains("00000"), "{error}");
    assert!(!shop.exists("x"));
}

#[test]
fn encrypted_keys_of_openssl_are_read_with_their_passphrase_only() {
    let shop = Workshop::with_release();
    shop.write("pass", "correct horse\n");
    let openssl = |args: &[&str]| Command::new("openssl").args(args).current_dir(shop.folder.path()).output().is_ok_and(|output| output.status.success());
    let encrypt = ["pkcs8", "-topk8", "-in", "oem2.key.pem", "-out", "locked.pem", "-passout", "file:pass", "-v2", "aes-256-cbc"];
    if !openssl(&encrypt) {
        common::skipped("openssl");
        return;
    }
    assert!(String::from_utf8(shop.read("locked.pem")).unwrap().contains("ENCRYPTED PRIVATE KEY"));
    shop.ok(["sign", FULL, "--key", "oem2.key.pem", "-o", "plain"]);
    shop.ok(["sign", FULL, "--key", "locked.pem", "--passphrase-file", "pass", "-o", "by-file"]);
    assert!(shop.read("plain") == shop.read("by-file"));
    let output =
        shop.command(["sign", FULL, "--key", "locked.pem", "--passphrase-env", "KEY_PASS", "-o", "by-env"]).env("KEY_PASS", "correct horse").output().unwrap();
    assert!(output.status.success() && shop.read("plain") == shop.read("by-env"), "{}", common::text(&output));

    shop.write("wrong", "battery staple\n");
    let error = shop.fails(1, ["sign", FULL, "--key", "locked.pem", "--passphrase-file", "wrong", "-o", "x"]);
    assert!(error.contains("cannot decrypt") && !error.contains("battery"), "{error}");
    let error = shop.fails(1, ["sign", FULL, "--key", "locked.pem", "-o", "x"]);
    assert!(error.contains("no terminal to ask at") && error.contains("--passphrase-file"), "{error}");
    let error = shop.fails(1, ["approve", FULL, "--key", "locked.pem", "--operator", "a", "--passphrase-env", "SEALIFT_NOT_SET", "-o", "x"]);
    assert!(error.contains("SEALIFT_NOT_SET"), "{error}");
    // There is no way to give it on the command line.
    shop.fails(2, ["sign", FULL, "--key", "locked.pem", "--passphrase", "correct horse"]);
    assert!(!shop.exists("x"));
}
