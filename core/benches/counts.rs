//! What does not depend on the clock: bytes for each unikernel, and, under callgrind, instructions for each operation.
//!
//! Without arguments it loads a million unikernels and says how long that took and what they occupy. With the name of an operation
//! and a number of unikernels it performs that one once, in a function of its own and in a world of that size, for callgrind to
//! count (`cargo xtask bench core --instructions`).
#![expect(unsafe_code, reason = "an allocator that counts is one")]

mod world;

use std::alloc::{GlobalAlloc, Layout as Memory, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use fulmar_core::{AfterRefusal, Tree};
use world::{Layout, World};

/// The bytes that are allocated now.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: every call is the system allocator's; the counter beside it touches no memory that was handed out.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, memory: Memory) -> *mut u8 {
        ALLOCATED.fetch_add(memory.size(), Relaxed);
        // SAFETY: the caller's promises are those of the system allocator.
        unsafe { System.alloc(memory) }
    }

    unsafe fn dealloc(&self, address: *mut u8, memory: Memory) {
        ALLOCATED.fetch_sub(memory.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(address, memory) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    // `cargo bench` adds an argument of its own.
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    match (arguments.next(), arguments.next()) {
        (Some(operation), Some(count)) => perform(&operation, count.parse().expect("a number of unikernels")),
        (Some(operation), None) => panic!("`{operation}` among how many unikernels?"),
        _ => [Layout::OneDomain, Layout::Spread].into_iter().for_each(occupy),
    }
}

fn occupy(layout: Layout) {
    const COUNT: usize = 1_000_000;
    let facts: Vec<_> = world::unikernels(layout, COUNT).collect();
    let before = ALLOCATED.load(Relaxed);
    let without = World::new(layout, 0).tree;
    let policies = ALLOCATED.load(Relaxed) - before;
    let mut tree = without.clone();
    drop(without);
    let start = Instant::now();
    // The facts bring their own memory along; cloned, it is counted as the tree's.
    for fact in &facts {
        tree.load(fact.clone()).expect("every name is new");
    }
    let took = start.elapsed();
    let bytes = ALLOCATED.load(Relaxed) - before - policies;
    println!(
        "{}: {COUNT} unikernels loaded in {:.2} s, {} bytes each",
        layout.title(),
        took.as_secs_f64(),
        bytes / COUNT
    );
    assert_eq!(tree.usage(&fulmar_core::Path::root()).unikernels.get(), COUNT as u64);
}

/// Performs one operation in a world of `count` unikernels, in `measured`, whose instructions callgrind counts.
fn perform(operation: &str, count: usize) {
    let mut world = World::new(Layout::Spread, count);
    let (name, top, plan) = (world.new_name(1), world.top(), world.plan());
    let (small, large, wide) = (world::small(), world::large(), world::wide());
    let tree = &mut world.tree;
    match operation {
        "check" => drop(measured(|| tree.check_unikernel(&name, &small))),
        "refuse" => drop(measured(|| tree.check_unikernel(&name, &large))),
        "insert-and-remove" => measured(|| insert_and_remove(tree, &name, small)),
        "insert-policy" => drop(measured(|| tree.insert_policy(&top, wide))),
        "headroom" => drop(measured(|| tree.headroom(name.domain()))),
        "plan" => drop(measured(|| {
            tree.preview(plan, AfterRefusal::GoOn, |after| after.headroom(&top))
        })),
        other => panic!("`{other}` is no operation that can be counted"),
    }
    // The program ends here, and to take down 100,000 unikernels under callgrind costs a second.
    std::mem::forget(world);
}

fn insert_and_remove(tree: &mut Tree, name: &fulmar_core::Name, unikernel: fulmar_core::Unikernel) {
    tree.insert_unikernel(name, unikernel).expect("it fits");
    tree.remove_unikernel(name).expect("it is there");
}

/// callgrind is told this function's name. What is handed back is dropped outside of it, and not counted.
#[inline(never)]
fn measured<T>(operation: impl FnOnce() -> T) -> T {
    black_box(operation())
}
