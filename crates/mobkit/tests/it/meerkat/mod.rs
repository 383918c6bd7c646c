//! Members whose turns the Meerkat runtime runs. One suite, two lanes: by default against a
//! stand-in that speaks as the runtime was recorded to, and against the runtime itself where
//! `MOBKIT_TEST_MEERKAT` names it (`cargo xtask meerkat`).

mod breakage;
mod gaps;
mod lane;
mod life;
mod misbehaviour;
mod program;
mod secrets;
mod steering;
mod turns;
