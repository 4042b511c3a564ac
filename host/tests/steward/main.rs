//! The steward, with a real tender and real unikernels, in this process.

mod creation;
mod ending;
mod house;
mod policies;
mod resume;
