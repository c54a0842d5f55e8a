/** Types of semblance.js; the answers are those of the service's OpenAPI. */

export type Picture = Blob | Uint8Array | ArrayBuffer | string;
export type Fusion = "share" | "max" | "mean" | "centroid";
export type FaceChoice = "error" | "largest" | "center";

export interface ClientOptions {
  /** Default: http://127.0.0.1:8000 */
  url?: string;
  key?: string;
  /** At most, the first included; default 4. */
  attempts?: number;
  /** A longer `Retry-After` is not waited for; default 30. */
  longestWaitS?: number;
  /** Of one attempt; default 60. */
  timeoutS?: number;
  fetch?: typeof globalThis.fetch;
}

export interface EnrolOptions {
  consent?: string;
  metadata?: Record<string, string>;
  faces?: FaceChoice;
  conflicts?: "off" | "report" | "strict";
}

export interface CompareOptions {
  detection_threshold?: number;
  fmr?: number;
  faces?: FaceChoice;
}

export interface SiteSessionOptions extends CompareOptions {
  verification_threshold?: number;
  fusion?: Fusion;
  require_liveness?: boolean;
  nonce?: string;
}

export interface VerifyOptions extends SiteSessionOptions {
  liveness_token?: string;
  audience?: string;
}

export interface IdentifyOptions {
  candidates?: number;
  max_fpir?: number;
  detection_threshold?: number;
  faces?: FaceChoice;
}

export interface Box { x: number; y: number; width: number; height: number }
export interface Point { x: number; y: number }

export interface Quality {
  score: number;
  reasons: string[];
  face_size_px: number;
  confidence: number;
  sharpness: number;
  brightness: number;
  contrast: number;
  yaw: number;
  pitch: number;
  roll_degrees: number;
  visible: number;
}

export interface Face {
  box: Box;
  box_normalized: Box;
  landmarks: Record<"right_eye" | "left_eye" | "nose" | "right_mouth" | "left_mouth", Point>;
  confidence: number;
  quality: Quality;
  presentation: { attack: boolean; score: number; measured_on: string } | null;
}

export interface ModelRef { name: string; version: string; fingerprint: string }

export interface Accepted {
  index: number;
  filename: string | null;
  reference_id: string;
  duplicate: boolean;
  face: Face;
  quality: number;
}

export interface Rejected {
  index: number;
  filename: string | null;
  code: string;
  detail: string;
  reasons: string[];
  face: Face | null;
}

export interface Conflict {
  index: number;
  filename: string | null;
  reference_id: string | null;
  code: "identity_conflict";
  kind: "unlike_own_references" | "like_another_identity";
  own_best: number | null;
  own_median: number | null;
  other_score: number | null;
  other_identity: string | null;
}

export interface Enrolment {
  identity: string;
  references: number;
  accepted: Accepted[];
  rejected: Rejected[];
  conflicts: Conflict[];
  others_searched: boolean;
  model: ModelRef;
}

export interface Threshold { value: number; source: "request" | "fmr" | "settings" | "default" }

export interface Verification {
  identity: string;
  verified: boolean;
  matched: number;
  references: number;
  fusion: Fusion;
  fused_score: number | null;
  share: number;
  detection_threshold: Threshold;
  verification_threshold: Threshold;
  fmr: number | null;
  verdict_fmr: number | null;
  scores: { reference_id: string; score: number; matched: boolean }[];
  face: Face;
  liveness: { live: boolean } | null;
  model: ModelRef;
  timings_ms: Record<string, number>;
  signed: string | null;
}

export interface Comparison {
  score: number | null;
  threshold: Threshold;
  fmr: number | null;
  verified: boolean;
  face_a: Face;
  face_b: Face;
  model: ModelRef;
  timings_ms: Record<string, number>;
}

export interface Detection {
  faces: Face[];
  width: number;
  height: number;
  timings_ms: Record<string, number>;
}

export interface Identification {
  identified: boolean;
  identity: string | null;
  candidates: {
    rank: number;
    identity: string;
    reference_id: string;
    score: number | null;
    matched: boolean;
  }[];
  threshold: { value: number; source: "request" | "fpir" | "default" };
  fpir: number | null;
  gallery: { identities: number; references: number; search: "exact" | "approximate" };
  face: Face;
  model: ModelRef;
  timings_ms: Record<string, number>;
}

export interface Embeddings {
  embeddings: {
    embedding: number[];
    dimension: number;
    metric: "euclidean" | "other";
    model: ModelRef;
  }[];
  face: Face;
  timings_ms: Record<string, number>;
}

/** What was wrong with an item of a batch. */
export interface ProblemContent {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  instance?: string | null;
  reasons?: string[] | null;
  rejected?: Rejected[] | null;
  conflicts?: Conflict[] | null;
  errors?: Record<string, string>[] | null;
}

/** An answer or a problem. */
export interface BatchItem<Result> {
  index: number;
  id: string | null;
  status: number;
  problem?: ProblemContent | null;
  result?: Result | null;
}

export type VerifyItem = VerifyOptions & { identity: string; image: Picture; id?: string };
export type EnrolItem = EnrolOptions & { identity: string; images: Picture[]; id?: string };
export type Items<Item> = Iterable<Item> | AsyncIterable<Item>;

export interface Identity { identity: string; references: number; created_at: string }
export interface IdentityPage { identities: Identity[]; next_cursor: string | null }

export interface Reference {
  reference_id: string;
  created_at: string;
  quality: number;
  filename: string | null;
  has_image: boolean;
  fingerprint: string;
  agreement: { median: number; lowest: number; best: number } | null;
  outlier: boolean;
}

export interface IdentityDetail extends Identity {
  items: Reference[];
  consent: string | null;
  metadata: Record<string, string>;
  failures: number;
  last_used_at: string | null;
}

export interface LivenessSession {
  session: string;
  identity: string;
  challenges: number;
  most_seconds: number;
  expires_at: string;
}

export interface SiteSession { session: string; identity: string; expires_at: string }

export interface PublicKey { kty: string; crv: string; x: string; kid: string; use: string; alg: string }

export interface FaceModel extends ModelRef {
  runtime: string;
  precision: string;
  input_size: [number, number];
  embedding_size: number;
  thresholds: {
    detection_threshold: number;
    verification_threshold: number;
    fmr: number | null;
    fusion: Fusion;
  };
  calibration: Record<string, unknown>;
  weights: { file: string; sha256: string; source: string; licence: string }[];
  require_liveness: boolean;
  next: ModelRef | null;
}

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string | null;
  readonly reasons: string[];
  readonly rejected: Rejected[];
  readonly conflicts: Conflict[];
  readonly errors: { field: string; message: string }[];
  readonly retryAfterS: number | null;
}

export class Unreachable extends Error {}

export const OPERATIONS: Readonly<Record<string, readonly [string, string, number[], string?]>>;

export class Client {
  constructor(options?: ClientOptions);
  enroll(identity: string, images: Picture[], options?: EnrolOptions): Promise<Enrolment>;
  verify(identity: string, image: Picture, options?: VerifyOptions): Promise<Verification>;
  compare(imageA: Picture, imageB: Picture, options?: CompareOptions): Promise<Comparison>;
  detect(image: Picture): Promise<Detection>;
  identify(image: Picture, options?: IdentifyOptions): Promise<Identification>;
  embeddings(image: Picture, options?: { faces?: FaceChoice }): Promise<Embeddings>;
  verifyBatch(items: Items<VerifyItem>, size?: number): AsyncGenerator<BatchItem<Verification>>;
  enrollBatch(items: Items<EnrolItem>, size?: number): AsyncGenerator<BatchItem<Enrolment>>;
  listIdentities(page?: { cursor?: string; limit?: number }): Promise<IdentityPage>;
  identities(): AsyncGenerator<Identity>;
  getIdentity(identity: string): Promise<IdentityDetail>;
  renameIdentity(identity: string, to: string): Promise<IdentityDetail>;
  mergeIdentity(identity: string, into: string): Promise<IdentityDetail>;
  unlockIdentity(identity: string): Promise<void>;
  deleteIdentity(identity: string): Promise<{ identity: string; references: number }>;
  deleteReference(identity: string, referenceId: string): Promise<void>;
  getImage(identity: string, referenceId: string, size?: number): Promise<Blob>;
  beginLiveness(identity: string): Promise<LivenessSession>;
  beginSiteSession(
    identity: string, audience: string, origin: string, options?: SiteSessionOptions,
  ): Promise<SiteSession>;
  getKeys(): Promise<{ keys: PublicKey[] }>;
  getModel(): Promise<FaceModel>;
  metrics(): Promise<string>;
  healthz(): Promise<{ status: "ok" }>;
  readyz(): Promise<{ status: "ok" }>;
}
