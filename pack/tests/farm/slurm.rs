//! A real Slurm cluster of three nodes on this machine, with the template that is shipped.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{self, Workshop};
use crate::support::{reference, shop};

/// A cluster, for as long as it lives.
struct Cluster {
    folder: PathBuf,
    daemons: Vec<Child>,
}

impl Cluster {
    /// Starts it; `None`: Slurm is not there.
    fn start(folder: PathBuf) -> Option<Self> {
        for program in ["slurmctld", "slurmd", "sbatch"] {
            if Command::new(program).arg("-V").output().is_err() {
                common::skipped("slurm-wlm");
                return None;
            }
        }
        fs::create_dir_all(folder.join("state")).unwrap();
        let said = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let (host, user) = (said("hostname", &["-s"]), said("id", &["-un"]));
        let here = folder.display();
        let mut text = format!(
            "ClusterName=farm\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser={user}\nSlurmdUser={user}\nAuthType=auth/none\nCredType=cred/none\nSlurmctldPort={}\n\
             SlurmctldPidFile={here}/ctld.pid\nSlurmdPidFile={here}/%n.pid\nSlurmdSpoolDir={here}/%n\nStateSaveLocation={here}/state\nProctrackType=proctrack/linuxproc\n\
             TaskPlugin=task/none\nSwitchType=switch/none\nMpiDefault=none\nSelectType=select/cons_tres\nReturnToService=2\nSlurmdParameters=config_overrides\n\
             SchedulerParameters=batch_sched_delay=0,sched_interval=1\nAccountingStorageType=accounting_storage/none\nJobAcctGatherType=jobacct_gather/none\n",
            free_port()
        );
        for node in NODES {
            text += &format!("NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={} CPUs=1\n", free_port());
        }
        text += "PartitionName=main Nodes=ALL Default=YES State=UP\n";
        fs::write(folder.join("slurm.conf"), text).unwrap();
        let mut cluster = Self { folder, daemons: Vec::new() };
        cluster.daemon("slurmctld", &["-D", "-c"]);
        for node in NODES {
            cluster.daemon("slurmd", &["-D", "-N", node]);
        }
        cluster.until("the nodes are idle", |cluster| cluster.said("sinfo", &["-h", "-t", "idle", "-o", "%D"]) == "3");
        Some(cluster)
    }

    fn daemon(&mut self, program: &str, arguments: &[&str]) {
        let log = fs::File::create(self.folder.join(format!("{}.log", arguments.last().unwrap()))).unwrap();
        let mut command = self.command(program, arguments);
        self.daemons.push(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env("SLURM_CONF", self.folder.join("slurm.conf"));
        command
    }

    fn said(&self, program: &str, arguments: &[&str]) -> String {
        String::from_utf8(self.command(program, arguments).output().unwrap().stdout).unwrap().trim().to_owned()
    }

    fn until(&self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !holds(self) {
            assert!(Instant::now() < deadline, "waited in vain until {what}");
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn ended(&self, job: &str) {
        self.until("the job has ended", |cluster| cluster.said("squeue", &["-h", "-j", job]).is_empty());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

const NODES: [&str; 3] = ["n1", "n2", "n3"];

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What the tasks run: sealift; but the first time, task 1 is stopped in the middle of its work.
const PROGRAM: &str = "#!/bin/bash\n\
    if [ \"$SLURM_ARRAY_TASK_ID\" = 1 ] && mkdir \"$MARK\" 2>/dev/null; then\n\
    \"$REAL\" \"$@\" &\n\
    sleep 0.05\n\
    kill -STOP $!\n\
    touch \"$MARK/stopped\"\n\
    sleep 600\n\
    fi\n\
    exec \"$REAL\" \"$@\"\n";

/// A shard done, one killed and run again, one lost: the release is that of one machine.
pub fn a_release_on_a_cluster(shop: &Workshop, store: &str, environment: &[(&str, &str)]) {
    let Some(cluster) = Cluster::start(shop.path("cluster")) else { return };
    let expected = reference(shop);
    shop.ok(["pack", "release.toml", "--plan", "plan.json"]);
    shop.write("program", PROGRAM);
    assert!(Command::new("chmod").arg("+x").arg(shop.path("program")).status().unwrap().success());
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/slurm.sbatch");
    let submit = |array: &str| {
        let mut command = cluster.command("sbatch", &["--parsable", "--export=ALL", &format!("--array={array}")]);
        command.arg(&template).current_dir(shop.folder.path()).envs(environment.iter().copied());
        command.env("PLAN", shop.path("plan.json")).env("STORE", store).env("SEALIFT", shop.path("program")).env("SEALIFT_SHARDS", "3");
        command.env("REAL", env!("CARGO_BIN_EXE_sealift")).env("MARK", shop.path("mark"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", common::text(&output));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    // Task 2 is never run.
    let job = submit("0-1");
    cluster.until("task 1 is in the middle", |_| shop.exists("mark/stopped"));
    assert!(cluster.command("scancel", &["--signal=KILL", "--full", &format!("{job}_1")]).status().unwrap().success());
    cluster.ended(&job);
    let log = |job: &str, task: u32| fs::read_to_string(shop.path(&format!("sealift-{job}-{task}.log"))).unwrap_or_default();
    assert!(log(&job, 0).contains("shard 1/3: "), "{}", log(&job, 0));
    assert!(!log(&job, 1).contains("shard 2/3: "), "task 1 was killed: {}", log(&job, 1));
    // Run again alone it is still the second of three.
    let again = submit("1");
    cluster.ended(&again);
    assert!(log(&again, 1).contains("shard 2/3: "), "{}", log(&again, 1));

    let pack = |more: &[&str]| {
        let arguments = ["pack", "release.toml", "--assemble", "plan.json", "-o", "dist", "--cache", store];
        shop.command(arguments.iter().chain(more)).envs(environment.iter().copied()).output().unwrap()
    };
    let output = pack(&["--offline"]);
    let said = common::text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("of 10 packages could not be made"), "the lost shard is missed: {said}");
    let output = pack(&[]);
    assert!(output.status.success(), "{}", common::text(&output));
    assert_eq!(shop.tree("dist"), expected);
    // The lost one comes after all: nothing is left to make.
    let late = submit("2");
    cluster.ended(&late);
    assert!(log(&late, 2).contains("shard 3/3: ") && log(&late, 2).contains("; 0 made, "), "{}", log(&late, 2));
    assert!(pack(&["--offline"]).status.success());
    assert_eq!(shop.tree("dist"), expected);
}

#[test]
fn on_a_cluster_with_a_shared_folder() {
    let shop = shop(9, 60_000);
    let store = shop.path("store").display().to_string();
    a_release_on_a_cluster(&shop, &store, &[]);
}
