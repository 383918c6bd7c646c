//! What answers: models, and the engines that run the turns of members.

pub mod model;
