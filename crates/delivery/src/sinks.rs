//! The sinks of a runtime, one for each route.

use crate::email::{Email, EmailSink};
use crate::file::FileSink;
use crate::guard::{Lookup, SystemLookup};
use crate::sending::{SendFailure, Sending, Sent};
use crate::settings::Settings;
use crate::signature::Keys;
use crate::webhook::{Webhook, WebhookSink};
use mobkit_domain::definition::{Route, Secret, Setting, Sink};
use mobkit_domain::id::RouteId;
use mobkit_engine::Tasks;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// Whether a receiver knows a repetition: a webhook's by its `webhook-id`; a file is looked through
/// for the id. Such a delivery may be sent again after an attempt that nobody knows the end of.
/// Members and modules get nothing from here, so the answer for them is no.
pub fn is_idempotent(sink: &Sink) -> bool {
    match sink {
        Sink::Webhook { .. } | Sink::File { .. } => true,
        Sink::Email { .. } | Sink::Member { .. } | Sink::Module { .. } => false,
    }
}

/// What a route's sink has become, with its secrets.
enum Ready {
    Webhook(Box<WebhookSink>),
    Email(Box<EmailSink>),
    File(FileSink),
}

/// The sink of one route, made at its first attempt.
#[derive(Clone)]
struct Kept {
    sink: Sink,
    ready: Arc<OnceCell<Ready>>,
}

/// The sinks of a runtime. Each is made at the first attempt over its route, with secrets that are
/// read then, and kept for the next one. A route whose sink has changed gets a new one, and so does
/// one whose receiver refused the credentials, so that a key that was replaced is picked up.
///
/// Nothing here survives the process, and nothing has to.
pub struct Sinks {
    folder: PathBuf,
    settings: Arc<dyn Settings>,
    lookup: Arc<dyn Lookup>,
    kept: Mutex<BTreeMap<RouteId, Kept>>,
}

impl Sinks {
    /// No sink so far. Paths of files are relative to `folder`, the folder of the mob file.
    pub fn new(folder: PathBuf, settings: Arc<dyn Settings>) -> Self {
        Self {
            folder,
            settings,
            lookup: Arc::new(SystemLookup),
            kept: Mutex::default(),
        }
    }

    /// Makes one attempt and says what came of it. A webhook ends within 35 s. An email ends within
    /// a quarter of an hour and a minute: a server may take its time to accept a message. Reading
    /// the settings and writing to the file system take as long as they take.
    ///
    /// The future may be dropped at any time; an attempt that was begun may then have gone through.
    /// Attempts may be made side by side, also over one route. `tasks` own the threads that write
    /// files.
    pub async fn attempt(&self, tasks: &Tasks, route: &Route, sending: Sending) -> Sent {
        let kept = self.kept(route);
        let ready = match kept.ready.get_or_try_init(|| self.make(&route.sink)).await {
            Ok(ready) => ready,
            Err(failure) => return Sent::Failed(failure),
        };
        let (sent, refused) = match ready {
            Ready::Webhook(sink) => {
                let sent = sink.send(&sending).await;
                (sent.clone(), WebhookSink::refuses_credentials(&sent))
            }
            Ready::Email(sink) => {
                let sent = sink.send(&sending).await;
                (sent.clone(), EmailSink::refuses_credentials(&sent))
            }
            Ready::File(sink) => (sink.send(tasks, sending).await, false),
        };
        if refused {
            let mut all = self.all();
            let same = |now: &Kept| Arc::ptr_eq(&now.ready, &kept.ready);
            if all.get(&route.id).is_some_and(same) {
                all.remove(&route.id);
            }
        }
        sent
    }

    /// Forgets the sink of a route that is gone, and its secrets with it.
    pub fn forget(&self, route: &RouteId) {
        self.all().remove(route);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<RouteId, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sink of a route, or the place for one.
    fn kept(&self, route: &Route) -> Kept {
        let mut all = self.all();
        match all.get(&route.id) {
            Some(kept) if kept.sink == route.sink => kept.clone(),
            _ => {
                let kept = Kept {
                    sink: route.sink.clone(),
                    ready: Arc::default(),
                };
                all.insert(route.id.clone(), kept.clone());
                kept
            }
        }
    }

    async fn make(&self, sink: &Sink) -> Result<Ready, SendFailure> {
        match sink {
            Sink::Webhook {
                url,
                secret,
                headers,
                allow_private,
            } => {
                let webhook = Webhook {
                    url: url.clone(),
                    keys: self.keys(secret.as_ref()).await?,
                    headers: self.headers(headers).await?,
                    allow_private: *allow_private,
                };
                let made = WebhookSink::new(webhook, Arc::clone(&self.lookup))?;
                Ok(Ready::Webhook(Box::new(made)))
            }
            Sink::Email {
                server,
                from,
                to,
                username,
                password,
                allow_private,
            } => {
                let email = Email {
                    server: server.clone(),
                    from: from.clone(),
                    to: to.clone(),
                    username: username.clone(),
                    password: self.password(password.as_ref()).await?,
                    allow_private: *allow_private,
                };
                let made = EmailSink::new(email, Arc::clone(&self.lookup))?;
                Ok(Ready::Email(Box::new(made)))
            }
            Sink::File { path } => Ok(Ready::File(FileSink::new(self.folder.join(path)))),
            Sink::Member { .. } | Sink::Module { .. } => {
                let reason = "what goes to a member or a module does not leave the mob";
                Err(SendFailure::hopeless(reason))
            }
        }
    }

    async fn keys(&self, secret: Option<&Secret>) -> Result<Option<Keys>, SendFailure> {
        let Some(secret) = secret else {
            return Ok(None);
        };
        let missing = |reason| SendFailure::of(format!("the secret of the webhook: {reason}"));
        let text = self.settings.secret(secret).await.map_err(missing)?;
        let keys = Keys::parse(&text).map_err(|error| SendFailure::of(error.to_string()))?;
        Ok(Some(keys))
    }

    /// The headers; with each whether its value is a secret.
    async fn headers(
        &self,
        headers: &BTreeMap<String, Setting>,
    ) -> Result<Vec<(String, String, bool)>, SendFailure> {
        let mut read = Vec::new();
        for (name, setting) in headers {
            let value = self.settings.setting(setting).await;
            let missing = |reason| SendFailure::of(format!("the header {name}: {reason}"));
            let is_secret = matches!(setting, Setting::Secret(_));
            read.push((name.clone(), value.map_err(missing)?, is_secret));
        }
        Ok(read)
    }

    async fn password(&self, password: Option<&Secret>) -> Result<Option<String>, SendFailure> {
        let Some(password) = password else {
            return Ok(None);
        };
        let missing =
            |reason| SendFailure::of(format!("the password of the mail server: {reason}"));
        self.settings
            .secret(password)
            .await
            .map(Some)
            .map_err(missing)
    }
}
