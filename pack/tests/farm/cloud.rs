//! Caches in an object store: an S3 server on this machine.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{self, Workshop};
use crate::slurm::{a_release_on_a_cluster, free_port};
use crate::support::{reference, shop};

/// An S3 server with the bucket `releases`, for as long as it lives.
struct S3 {
    server: Child,
    port: u16,
}

impl S3 {
    /// moto's, from target/oracles or the path; `None`: it is not there.
    fn moto() -> Option<Self> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/oracles/bin/moto_server");
        let program = if own.exists() { own } else { "moto_server".into() };
        let port = free_port();
        let mut command = Command::new(program);
        let Ok(server) = command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            common::skipped("moto_server (PyPI: moto[server])");
            return None;
        };
        Self { server, port }.ready()
    }

    /// s3s-fs, whose conditional writes are not atomic; `None`: it is not there.
    fn s3s(shop: &Workshop) -> Option<Self> {
        let port = free_port();
        std::fs::create_dir_all(shop.path("s3s/releases")).unwrap();
        let mut command = Command::new("s3s-fs");
        command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--access-key", "test", "--secret-key", "test"]).arg(shop.path("s3s"));
        // It has no package in Debian or PyPI: whoever has it runs the test with it.
        let Ok(server) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            println!("SKIPPED: s3s-fs is not there (cargo install s3s-fs --features binary)");
            return None;
        };
        Self { server, port }.ready()
    }

    fn ready(self) -> Option<Self> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "the S3 server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(self)
    }

    /// Makes the bucket: moto asks for no signature.
    fn with_bucket(self) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "PUT /releases HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", self.port).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.contains(" 200 "), "{answer}");
        self
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID", "test".into()),
            ("AWS_SECRET_ACCESS_KEY", "test".into()),
            ("AWS_REGION", "us-east-1".into()),
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".into()),
        ]
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Four at once fill one cache, and one more finds everything there.
fn race(shop: &Workshop, server: &S3) {
    let expected = reference(shop);
    let pack = |dist: &str, more: &[&str]| {
        let arguments = ["pack", "release.toml", "-o", dist, "--cache", "s3://releases/cache/of/lamps"];
        let mut command = shop.command(arguments.iter().chain(more));
        command.envs(server.environment()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let names: Vec<String> = (0..4).map(|number| format!("dist-{number}")).collect();
    let runs: Vec<_> = names.iter().map(|dist| pack(dist, &[]).spawn().unwrap()).collect();
    for (run, dist) in runs.into_iter().zip(&names) {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", common::text(&output));
        assert_eq!(shop.tree(dist), expected, "{dist}");
    }
    let output = pack("dist", &["--offline"]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", common::text(&output));
    assert_eq!(shop.tree("dist"), expected);
}

#[test]
fn writers_at_the_same_time_on_moto() {
    let Some(server) = S3::moto().map(S3::with_bucket) else { return };
    race(&shop(6, 4000), &server);
}

#[test]
fn writers_at_the_same_time_on_s3s() {
    let shop = shop(6, 4000);
    let Some(server) = S3::s3s(&shop) else { return };
    race(&shop, &server);
}

#[test]
fn on_a_cluster_with_an_object_store() {
    let shop = shop(9, 30_000);
    let Some(server) = S3::moto().map(S3::with_bucket) else { return };
    let environment = server.environment();
    let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    a_release_on_a_cluster(&shop, "s3://releases/cache", &environment);
}

#[test]
fn a_store_that_fails_is_said() {
    let Some(server) = S3::moto() else { return };
    let shop = shop(1, 4000);
    let pack = |verb: &[&str]| shop.command(verb).envs(server.environment()).output().unwrap();
    // There is no such bucket. Who only wants a cache goes on without; who makes patches for others cannot.
    let output = pack(&["pack", "release.toml", "-o", "dist", "--cache", "s3://nowhere/cache"]);
    let said = common::text(&output);
    assert!(output.status.success() && said.contains("note: ") && said.contains("the store s3://nowhere/cache fails"), "{said}");
    shop.ok(["pack", "release.toml", "--plan", "plan.json"]);
    let output = pack(&["work", "plan.json", "--shard", "1/1", "--cache", "s3://nowhere/cache"]);
    let said = common::text(&output);
    assert!(
        output.status.code() == Some(1) && said.contains("2 of 2 patches could not be made") && said.contains("hint: check address and credentials"),
        "{said}"
    );
}
