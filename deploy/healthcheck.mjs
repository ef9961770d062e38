// For container health checks: ends with 0 when the address answers with success.
const [url] = process.argv.slice(2);

try {
  const response = await fetch(url, { signal: AbortSignal.timeout(4_000) });
  if (!response.ok) console.error(await response.text());
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
