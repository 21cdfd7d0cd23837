//! Says where tests/peers/fetch left the libraries.

fn main() {
    println!("cargo:rerun-if-env-changed=RAID_PEERS");
    let Some(folder) = std::env::var_os("RAID_PEERS") else {
        println!("cargo::error=RAID_PEERS does not name the folder that tests/peers/fetch prints");
        return;
    };
    println!("cargo:rustc-link-search=native={}/lib", folder.display());
    println!("cargo:rustc-link-lib=static=isal");
    println!("cargo:rustc-link-lib=static=raid6");
}
