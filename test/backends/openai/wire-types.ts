import type { CursorPageResponse } from "openai/core/pagination"
import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions"
import type { FileCreateParams, FileDeleted, FileListParams, FileObject } from "openai/resources/files"
import type { CheckpointListParams, FineTuningJobCheckpoint } from "openai/resources/fine-tuning/jobs/checkpoints"
import type {
  FineTuningJob,
  FineTuningJobEvent,
  JobCreateParams,
  JobListEventsParams,
  JobListParams,
} from "openai/resources/fine-tuning/jobs/jobs"
import type { Model } from "openai/resources/models"
import type { ErrorObject } from "openai/resources/shared"
import type { PartCreateParams, UploadPart } from "openai/resources/uploads/parts"
import type { Upload, UploadCompleteParams, UploadCreateParams } from "openai/resources/uploads/uploads"

/** What stands for a file's content where a form is checked. */
type Content = "content"
type FileForm = Omit<FileCreateParams, "file"> & Record<keyof Pick<FileCreateParams, "file">, Content>
type PartForm = Record<keyof PartCreateParams, Content>
type Nothing = Record<string, never>
/** The package has a call that pauses, and no word for the status that comes of it. */
type PausedJob = Omit<FineTuningJob, "status"> & { status: "paused" }

/**
 * Each call that the backend may make: what it sends (a body, a form or a query) and what it gets, by the types of the
 * installed `openai` package. The schemas of the tests are made of this.
 */
export interface Wire {
  "POST /files": { asks: FileForm; gets: FileObject }
  "GET /files": { asks: FileListParams; gets: CursorPageResponse<FileObject> }
  "GET /files/{id}": { asks: Nothing; gets: FileObject }
  "GET /files/{id}/content": { asks: Nothing; gets: Content }
  "DELETE /files/{id}": { asks: Nothing; gets: FileDeleted }
  "POST /uploads": { asks: UploadCreateParams; gets: Upload }
  "POST /uploads/{id}/parts": { asks: PartForm; gets: UploadPart }
  "POST /uploads/{id}/complete": { asks: UploadCompleteParams; gets: Upload }
  "POST /fine_tuning/jobs": { asks: JobCreateParams; gets: FineTuningJob }
  "GET /fine_tuning/jobs": { asks: JobListParams; gets: CursorPageResponse<FineTuningJob> }
  "GET /fine_tuning/jobs/{id}": { asks: Nothing; gets: FineTuningJob }
  "GET /fine_tuning/jobs/{id}/events": { asks: JobListEventsParams; gets: CursorPageResponse<FineTuningJobEvent> }
  "GET /fine_tuning/jobs/{id}/checkpoints": {
    asks: CheckpointListParams
    gets: CursorPageResponse<FineTuningJobCheckpoint>
  }
  "POST /fine_tuning/jobs/{id}/cancel": { asks: Nothing; gets: FineTuningJob }
  "POST /fine_tuning/jobs/{id}/pause": { asks: Nothing; gets: PausedJob }
  "POST /fine_tuning/jobs/{id}/resume": { asks: Nothing; gets: FineTuningJob }
  "GET /models/{id}": { asks: Nothing; gets: Model }
  "POST /chat/completions": { asks: ChatCompletionCreateParamsNonStreaming; gets: ChatCompletion }
}

/** What a refused call gets. */
export interface Refusal {
  error: ErrorObject
}
