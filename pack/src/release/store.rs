//! Where the cache keeps its entries: a folder, or a bucket of a cloud service.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use tokio::runtime::{Builder, Runtime};

/// A store cannot be opened or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder cannot be made.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The address is that of no store we know.
    #[error("`{url}` is the address of no store: expected a folder, s3://BUCKET/PATH, gs://BUCKET/PATH or az://CONTAINER/PATH")]
    Address {
        /// The address.
        url: String,
    },
    /// This program was built without the cloud services.
    #[error("this sealift was built without cloud stores, and cannot use `{url}`")]
    NoCloud {
        /// The address.
        url: String,
    },
    /// The store does not do what it is asked.
    #[error("the store {store} fails")]
    Service {
        /// Its address.
        store: String,
        /// What it said.
        source: object_store::Error,
    },
    /// An object is larger than what is asked for can be.
    #[error("the object has {found} bytes, expected {limit} at most")]
    TooLarge {
        /// Bytes there are.
        found: u64,
        /// Bytes there may be.
        limit: u64,
    },
    /// The threads for the store cannot be started.
    #[error("cannot start the store's thread")]
    Runtime(#[source] io::Error),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Folder { .. } => "choose another folder with --cache".into(),
            Self::Address { .. } => "give --cache a folder or one of these".into(),
            Self::NoCloud { .. } => "build it with `cargo build --release --features cloud`, or give a folder that all machines share".into(),
            Self::Service { .. } => {
                "check address and credentials: AWS_..., GOOGLE_... and AZURE_... variables are read, as AWS_ACCESS_KEY_ID, AWS_REGION, AWS_ENDPOINT, AWS_ALLOW_HTTP"
                    .into()
            }
            Self::TooLarge { .. } | Self::Runtime(_) => return None,
        })
    }
}

/// A store, opened.
pub struct Store {
    store: Box<dyn ObjectStore>,
    /// What names begin with.
    prefix: ObjectPath,
    /// Its address, for people.
    name: String,
    folder: Option<PathBuf>,
    runtime: Runtime,
}

impl Store {
    /// Opens a folder, which is made if it is not there, or the store at an address. Nothing is asked of a service yet.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(place: &str) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Error::Runtime)?;
        let name = place.to_owned();
        match place.split_once("://") {
            None | Some(("file", _)) => {
                let folder = PathBuf::from(place.strip_prefix("file://").unwrap_or(place));
                let made = fs::create_dir_all(&folder);
                made.map_err(|source| Error::Folder { path: folder.clone(), source })?;
                // A folder without its mark does as well.
                let _ = mark(&folder);
                let store = LocalFileSystem::new_with_prefix(&folder).map_err(|source| Error::Service { store: name.clone(), source })?;
                sweep(&folder);
                Ok(Self { store: Box::new(store), prefix: ObjectPath::default(), name, folder: Some(folder), runtime })
            }
            Some(_) => {
                let _entered = runtime.enter();
                let (store, prefix) = cloud::open(place)?;
                Ok(Self { store, prefix, name, folder: None, runtime })
            }
        }
    }

    /// The bytes of an object; `None`: there is none of this name.
    ///
    /// # Errors
    /// The store fails, or the object has more than `limit` bytes.
    pub fn get(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let place = self.place(name);
        let got = self.runtime.block_on(async {
            let got = self.store.get(&place).await?;
            if got.meta.size > limit {
                return Ok(Err(Error::TooLarge { found: got.meta.size, limit }));
            }
            Ok(Ok(got.bytes().await?.to_vec()))
        });
        match got {
            Ok(bytes) => bytes.map(Some),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(Error::Service { store: self.name.clone(), source }),
        }
    }

    /// Makes or replaces an object, at once: nobody ever sees half of it.
    ///
    /// # Errors
    /// The store fails.
    pub fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let put = self.runtime.block_on(self.store.put(&self.place(name), PutPayload::from(bytes)));
        put.map(|_| ()).map_err(|source| Error::Service { store: self.name.clone(), source })
    }

    /// Removes an object; one that is not there is removed already.
    ///
    /// # Errors
    /// The store fails.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        match self.runtime.block_on(self.store.delete(&self.place(name))) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(Error::Service { store: self.name.clone(), source }),
        }
    }

    /// Its folder, if it is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    fn place(&self, name: &str) -> ObjectPath {
        name.split('/').fold(self.prefix.clone(), |place, part| place.join(part))
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.name).finish()
    }
}

/// Says that the folder can be left out of backups (<https://bford.info/cachedir/>), and what it is.
fn mark(folder: &Path) -> io::Result<()> {
    const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# Patches that `sealift pack` has made. It makes them again when this folder is removed.\n";
    let tag = folder.join("CACHEDIR.TAG");
    if tag.exists() { Ok(()) } else { fs::write(tag, TAG) }
}

/// Removes what killed writers left: the library fills `NAME#1` and renames it. One that is old enough has no writer any more.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            sweep(&entry.path());
        } else if entry.file_name().to_string_lossy().contains('#') && entry.metadata().and_then(|data| data.modified()).is_ok_and(is_stale) {
            // Nobody is kept from working by a file that stays.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_stale(modified: SystemTime) -> bool {
    SystemTime::now().duration_since(modified).is_ok_and(|age| age > STALE)
}

/// A patch is written from memory in one go: nobody takes an hour.
const STALE: Duration = Duration::from_secs(3600);

#[cfg(feature = "cloud")]
mod cloud {
    use std::time::Duration;

    use object_store::aws::AmazonS3Builder;
    use object_store::azure::MicrosoftAzureBuilder;
    use object_store::gcp::GoogleCloudStorageBuilder;
    use object_store::path::Path as ObjectPath;
    use object_store::{ObjectStore, ObjectStoreScheme, RetryConfig};

    use super::Error;

    /// Opens the store at an address, with what the environment says.
    pub(super) fn open(place: &str) -> Result<(Box<dyn ObjectStore>, ObjectPath), Error> {
        // The HTTP client asks for it; another one that is there does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let address = || Error::Address { url: place.to_owned() };
        let service = |source| Error::Service { store: place.to_owned(), source };
        let url = url::Url::parse(place).map_err(|_| address())?;
        let (scheme, prefix) = ObjectStoreScheme::parse(&url).map_err(|_| address())?;
        // A person waits half a minute for a service that is not there, not three.
        let retry = RetryConfig { max_retries: 5, retry_timeout: Duration::from_secs(30), ..RetryConfig::default() };
        let store: Box<dyn ObjectStore> = match scheme {
            ObjectStoreScheme::AmazonS3 => Box::new(AmazonS3Builder::from_env().with_url(place).with_retry(retry).build().map_err(service)?),
            ObjectStoreScheme::GoogleCloudStorage => {
                Box::new(GoogleCloudStorageBuilder::from_env().with_url(place).with_retry(retry).build().map_err(service)?)
            }
            ObjectStoreScheme::MicrosoftAzure => Box::new(MicrosoftAzureBuilder::from_env().with_url(place).with_retry(retry).build().map_err(service)?),
            _ => return Err(address()),
        };
        Ok((store, prefix))
    }
}

#[cfg(not(feature = "cloud"))]
mod cloud {
    use object_store::ObjectStore;
    use object_store::path::Path as ObjectPath;

    use super::Error;

    pub(super) fn open(place: &str) -> Result<(Box<dyn ObjectStore>, ObjectPath), Error> {
        let url = place.to_owned();
        let known = ["s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss", "https"].iter().any(|scheme| place.starts_with(&format!("{scheme}://")));
        Err(if known { Error::NoCloud { url } } else { Error::Address { url } })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::{Error, Store};

    fn place(folder: &tempfile::TempDir) -> String {
        folder.path().join("store").display().to_string()
    }

    #[test]
    fn a_folder_keeps_gives_and_removes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&place(&folder)).unwrap();
        assert_eq!(store.get("a/b", 10).unwrap(), None);
        store.put("a/b", b"one".to_vec()).unwrap();
        store.put("a/b", b"three".to_vec()).unwrap();
        assert_eq!(store.get("a/b", 5).unwrap(), Some(b"three".to_vec()));
        assert!(matches!(store.get("a/b", 4), Err(Error::TooLarge { found: 5, limit: 4 })));
        store.remove("a/b").unwrap();
        store.remove("a/b").unwrap();
        assert_eq!(store.get("a/b", 10).unwrap(), None);
    }

    #[test]
    fn what_killed_writers_left_goes_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&place(&folder)).unwrap();
        store.put("a/b", b"one".to_vec()).unwrap();
        for (name, age) in [("a/b#1", 7200), ("a/b#2", 10)] {
            let file = File::create(store.folder().unwrap().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        let names = |store: &Store| {
            let mut names: Vec<_> =
                fs::read_dir(store.folder().unwrap().join("a")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        assert_eq!(names(&store), ["b", "b#1", "b#2"]);
        let store = Store::open(&place(&folder)).unwrap();
        assert_eq!(names(&store), ["b", "b#2"]);
    }

    #[test]
    fn what_is_no_address_is_said() {
        for wrong in ["ftp://host/path", "memory:///"] {
            assert!(matches!(Store::open(wrong), Err(Error::Address { .. })), "{wrong}");
        }
        #[cfg(not(feature = "cloud"))]
        assert!(matches!(Store::open("s3://bucket/path"), Err(Error::NoCloud { .. })));
    }
}
