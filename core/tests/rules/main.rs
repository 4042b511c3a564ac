//! The rules, tested from outside: claims one by one, random worlds and all small ones against a model.

mod claims;
mod fixture;
mod foresight;
mod grammar;
mod model;
mod names;
mod overview;
mod pair;
mod properties;
mod small_worlds;
mod values;
mod world;
