// Files: see ../../../../fs.cpp.
use std::time::Instant;
const FILES: usize = 10_000;
fn path(i: usize) -> std::path::PathBuf { std::path::Path::new(&std::env::var("EDDY_BENCH_FILES").unwrap()).join(i.to_string()) }
async fn read_range(first: usize, step: usize) {
    for i in (first..FILES).step_by(step) { std::hint::black_box(tokio::fs::read(path(i)).await.unwrap()); }
}
async fn read_by(tasks: usize) {
    let handles: Vec<_> = (0..tasks).map(|i| tokio::spawn(read_range(i, tasks))).collect();
    for h in handles { h.await.unwrap(); }
}
fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for (name, tasks) in [("ct/fs_read_each", 1), ("ct/fs_read_by_16", 16), ("ct/fs_read_all", FILES)] {
        if !name.contains(&wanted) { continue; }
        let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let run = || { let t = Instant::now(); rt.block_on(async { if tasks == 1 { read_range(0, 1).await } else { read_by(tasks).await } }); t.elapsed().as_nanos() as f64 / FILES as f64 };
        run();
        let mut v: Vec<f64> = (0..7).map(|_| run()).collect();
        v.sort_by(|a, b| a.partial_cmp(b).unwrap());
        println!("{:<34} {:>10.1} ns/op  (min {:.1} max {:.1})", name, v[3], v[0], v[6]);
    }
}
