//! How long the operations take, at sizes from ten to a million unikernels. `cargo xtask bench core` runs this and makes the table.

mod world;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use fulmar_core::AfterRefusal;
use world::{Layout, World};

/// Different names, so that no look-up finds its way warmed by the one before.
const NAMES: usize = 4096;

fn times(criterion: &mut Criterion) {
    for layout in [Layout::OneDomain, Layout::Spread] {
        for count in [10, 1_000, 100_000, 1_000_000] {
            let mut group = criterion.benchmark_group(format!("{}, {count}", layout.title()));
            group
                .warm_up_time(Duration::from_millis(300))
                .measurement_time(Duration::from_secs(1))
                .sample_size(30);
            operations(&mut group, &mut World::new(layout, count));
            group.finish();
        }
    }
}

fn operations(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, world: &mut World) {
    let names: Vec<_> = (0..NAMES).map(|number| world.new_name(number)).collect();
    let mut names = names.iter().cycle();
    let mut name = || names.next().expect("they go round");
    let (small, large, wide, top, plan) = (world::small(), world::large(), world::wide(), world.top(), world.plan());
    let tree = &mut world.tree;

    group.bench_function("check", |bench| {
        bench.iter(|| black_box(tree.check_unikernel(name(), &small)).is_ok());
    });
    group.bench_function("refuse", |bench| {
        bench.iter(|| black_box(tree.check_unikernel(name(), &large)).is_err());
    });
    group.bench_function("insert and remove", |bench| {
        bench.iter(|| {
            let name = name();
            tree.insert_unikernel(name, small.clone()).expect("it fits");
            tree.remove_unikernel(name).expect("it is there")
        });
    });
    group.bench_function("insert_policy", |bench| {
        bench.iter_batched(
            || wide.clone(),
            |policy| tree.insert_policy(&top, policy).expect("it is as wide as all others"),
            criterion::BatchSize::SmallInput,
        );
    });
    group.bench_function("headroom", |bench| bench.iter(|| tree.headroom(name().domain())));
    group.bench_function("how_many_fit", |bench| {
        bench.iter(|| tree.how_many_fit(name().domain(), &small));
    });
    group.bench_function("plan of ten", |bench| {
        bench.iter_batched(
            || plan.clone(),
            |plan| tree.preview(plan, AfterRefusal::GoOn, |after| after.headroom(&top)),
            criterion::BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, times);
criterion_main!(benches);
