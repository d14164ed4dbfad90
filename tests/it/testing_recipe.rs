#[tokio::test]
async fn users_have_names() -> Result<(), migrator::Error> {
    let migrator = migrator::Migrator::open("migrations");
    let url = std::env::var("DATABASE_URL").unwrap_or("sqlite:app.db".into());
    let scratch = migrator::Scratch::at_head(&migrator, &url).await?;
    let mut session = migrator.connect(&scratch.url()).await?; // or your own client
    assert!(session.status().await?.pending.is_empty());
    session.close().await?;
    scratch.close().await
}
