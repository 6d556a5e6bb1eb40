import { fileSize } from "../common/format.ts";
import { Icon } from "../controls/icons.tsx";
import type { Upload, Uploads } from "./useUploads.ts";

export function UploadList({ uploads }: { uploads: Uploads }) {
  if (uploads.all.length === 0) return null;
  return (
    <ul className="uploads" aria-label="Files to send">
      {uploads.all.map((upload) => (
        <li key={upload.id}>
          <UploadRow upload={upload} uploads={uploads} />
        </li>
      ))}
    </ul>
  );
}

function UploadRow({ upload, uploads }: { upload: Upload; uploads: Uploads }) {
  const { file, share, error, canRetry, result } = upload;
  return (
    <div className="upload">
      <Icon name="file" size={18} />
      <span className="upload-name" dir="auto">{file.name}</span>
      <span className="upload-size">{fileSize(file.size)}</span>
      {!result && !error && <progress max={1} value={share} aria-label={`Uploading ${file.name}`} />}
      {error && <span className="upload-error" role="alert">{error}</span>}
      {canRetry && (
        <button type="button" className="link" onClick={() => uploads.retry(upload.id)}>Try again</button>
      )}
      <button type="button" className="icon-button" aria-label={`Remove ${file.name}`} onClick={() => uploads.remove(upload.id)}>
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}
