/** How TLS is spoken with one registry. Certificates are always verified. */
export interface TlsOptions {
  /** Authorities in PEM form, which alone are trusted for the registry itself; what it links to is trusted by the usual ones too. */
  readonly ca?: string;
  /** Our certificate and those of its authorities, in PEM form. Shown to the registry's own origin only. */
  readonly cert?: string;
  /** Its key in PEM form, not encrypted. */
  readonly key?: string;
  /** The name that the registry's certificate must have, where its URL has another. */
  readonly serverName?: string;
}

/** A forward proxy, itself reached over http or https. */
export interface Proxy {
  /** `http://host[:port]` or `https://…`, without a path and without credentials. */
  readonly url: string;
  /** Shown to the proxy only, and never logged. */
  readonly credentials?: { readonly username: string; readonly password: string };
}

/** Which proxy stands between us and what. */
export interface ProxyOptions {
  /** The way to `http://` addresses. */
  readonly http?: Proxy;
  /** The way to `https://` addresses; TLS goes through it from end to end. */
  readonly https?: Proxy;
  /** What is reached without a proxy, each entry as in `NO_PROXY`. */
  readonly except?: readonly string[];
}

/** Host names and the addresses that they have, whatever a resolver says. A proxy is not told of them. */
export type Pins = Readonly<Record<string, readonly string[]>>;
