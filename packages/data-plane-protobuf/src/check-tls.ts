import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { ResolvedOptions } from "./options.ts";

type Pem = string | Uint8Array;

/** Checks that certificates and keys are such, and belong together: told when a plane is made, with the option's name. @throws TypeError */
export function assertTls({ tls, peer_tls }: Pick<ResolvedOptions, "tls" | "peer_tls">): void {
  if (tls !== undefined) {
    assertPair(tls.cert, tls.key, "tls.cert (GRPC_TLS_CERT_FILE)", "tls.key (GRPC_TLS_KEY_FILE)");
    if (tls.client_ca !== undefined) readCertificate(tls.client_ca, "tls.client_ca");
  }
  const { ca, cert, key } = peer_tls;
  if (ca !== undefined) readCertificate(ca, "peer_tls.ca (GRPC_TLS_CA_FILE)");
  if (cert === undefined && key === undefined) return;
  if (cert === undefined || key === undefined) {
    throw new TypeError("Expected peer_tls.cert and peer_tls.key, got one of them; set both or neither");
  }
  assertPair(cert, key, "peer_tls.cert", "peer_tls.key");
}

function assertPair(cert: Pem, key: Pem, certName: string, keyName: string): void {
  if (readCertificate(cert, certName).checkPrivateKey(readKey(key, keyName))) return;
  throw new TypeError(`Expected ${keyName} to belong to its certificate, got another's`);
}

/** The first one, where there are several. */
function readCertificate(pem: Pem, name: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new TypeError(`Expected ${name} to be a certificate in PEM, got something else`, { cause });
  }
}

function readKey(pem: Pem, name: string): KeyObject {
  try {
    return createPrivateKey(Buffer.from(pem as string));
  } catch (cause) {
    const expected = "a private key in PEM without a passphrase";
    throw new TypeError(`Expected ${name} to be ${expected}, got something else`, { cause });
  }
}
