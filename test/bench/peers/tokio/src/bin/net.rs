// The same as eddy-net-bench: copy PORT | accept PORT | udp ROUNDS.
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

const BLOCK: usize = 64 * 1024;

async fn serve_copies(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut data = vec![0u8; BLOCK];
            loop {
                match stream.read(&mut data).await {
                    Ok(0) | Err(_) => break,
                    Ok(n) => {
                        if stream.write_all(&data[..n]).await.is_err() {
                            break;
                        }
                    }
                }
            }
        });
    }
}

async fn serve_nothing(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move { drop(stream) });
    }
}

async fn udp(rounds: usize) {
    let first = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let second = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = second.local_addr().unwrap();
    let answering = tokio::spawn(async move {
        let mut buf = [0u8; 64];
        for _ in 0..rounds {
            let (size, from) = second.recv_from(&mut buf).await.unwrap();
            second.send_to(&buf[..size], from).await.unwrap();
        }
    });
    let mut buf = [0u8; 64];
    for _ in 0..rounds {
        first.send_to(&buf, to).await.unwrap();
        let (size, from) = first.recv_from(&mut buf).await.unwrap();
        assert!(size == 64 && from == to);
    }
    answering.await.unwrap();
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let number: usize = words[2].parse().unwrap();
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // In a task, as eddy runs its own.
    rt.block_on(async {
        match words[1].as_str() {
            "udp" => tokio::spawn(udp(number)).await.unwrap(),
            "copy" => tokio::spawn(serve_copies(number as u16)).await.unwrap(),
            _ => tokio::spawn(serve_nothing(number as u16)).await.unwrap(),
        }
    });
}
