//! The rules, tested from outside: claims one by one, and random operations against a model.

mod claims;
mod fixture;
mod foresight;
mod model;
mod overview;
mod properties;
