// Objects behind a URL (s3, gs, hdfs), through Arrow's file systems.
#include <arrow/config.h>
#include <arrow/filesystem/filesystem.h>
#include <arrow/filesystem/filesystem_library.h>
#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/key_value_metadata.h>
#include <dlfcn.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "Functions.hpp"
#include "Remote.hpp"

namespace {

using FileSystem = std::shared_ptr<arrow::fs::FileSystem>;

/// S3 is a library of its own in the wheel, beside libarrow; where it is not, it is part of libarrow or not there at all.
arrow::Status load_s3() {
  static std::once_flag once;
  static arrow::Status status;
  std::call_once(once, [] {
    Dl_info image;
    if (dladdr(reinterpret_cast<const void *>(&arrow::GetBuildInfo), &image) == 0 || image.dli_fname == nullptr) return;
    std::vector<std::string> libraries = {image.dli_fname};
    char resolved[PATH_MAX];
    if (realpath(image.dli_fname, resolved) != nullptr) libraries.emplace_back(resolved);
    for (std::string library : libraries) {
      const auto at = library.rfind("libarrow.");
      if (at == std::string::npos) continue;
      library.replace(at, std::strlen("libarrow"), "libarrow_s3");
      if (access(library.c_str(), R_OK) != 0) continue;
      status = arrow::fs::LoadFileSystemFactories(library.c_str());
      return;
    }
  });
  return status;
}

struct Place {
  FileSystem system;
  std::string path;
};

/// One file system for all that differs in the path only: making one may look for credentials, or start a Java machine.
arrow::Result<Place> find(const std::string &uri) {
  static std::mutex turn;
  static auto &systems = *new std::map<std::string, FileSystem>();  // never destroyed: Arrow is finalized before that
  const std::lock_guard<std::mutex> lock(turn);
  const auto scheme = uri.find("://");
  if (scheme == std::string::npos) return arrow::Status::Invalid("no URL");
  const auto slash = std::min(uri.find('/', scheme + 3), uri.size());
  const auto question = std::min(uri.find('?', slash), uri.size());
  const std::string key = uri.substr(0, slash) + uri.substr(question);
  Place place;
  if (const auto known = systems.find(key); known != systems.end()) {
    place.system = known->second;
    ARROW_ASSIGN_OR_RAISE(place.path, place.system->PathFromUri(uri));
    return place;
  }
  if (uri.compare(0, scheme, "s3") == 0) ARROW_RETURN_NOT_OK(load_s3());
  auto made = arrow::fs::FileSystemFromUri(uri, &place.path);
  static std::once_flag once;
  // Registered after whatever the first file system set up, failed or not, so it runs before that goes; without it AWS's threads
  // end the process badly.
  std::call_once(once, [] { std::atexit([] { arrow::fs::EnsureFinalized(); }); });
  ARROW_ASSIGN_OR_RAISE(place.system, made);
  systems[key] = place.system;
  return place;
}

}  // namespace

struct MillraceRemoteFile {
  std::shared_ptr<arrow::io::RandomAccessFile> file;
};

namespace millrace {

bool is_remote(const char *path) {
  const std::string text(path);
  for (const char *scheme : {"s3://", "gs://", "hdfs://"}) {
    if (text.compare(0, std::strlen(scheme), scheme) == 0) return true;
  }
  return false;
}

arrow::Result<std::shared_ptr<arrow::io::RandomAccessFile>> open_remote(const std::string &uri) {
  ARROW_ASSIGN_OR_RAISE(const auto place, find(uri));
  return place.system->OpenInputFile(place.path);
}

int remote_open(const char *uri, MillraceRemoteFile **out, int64_t *size, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    auto opened = std::make_unique<MillraceRemoteFile>();
    ARROW_ASSIGN_OR_RAISE(opened->file, open_remote(uri));
    ARROW_ASSIGN_OR_RAISE(*size, opened->file->GetSize());
    *out = opened.release();
    return arrow::Status::OK();
  });
}

int remote_read(MillraceRemoteFile *file, int64_t offset, void *into, int64_t count, int64_t *read, char *error,
                size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status { return file->file->ReadAt(offset, count, into).Value(read); });
}

void remote_close(MillraceRemoteFile *file) { delete file; }

int remote_version(const char *uri, char *version, size_t version_size, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto place, find(uri));
    // By its path and not by what is known of it: only then the store is asked for more than its size.
    ARROW_ASSIGN_OR_RAISE(const auto file, place.system->OpenInputFile(place.path));
    ARROW_ASSIGN_OR_RAISE(const int64_t size, file->GetSize());
    std::string text = "size " + std::to_string(size);
    std::vector<std::pair<std::string, std::string>> told;
    if (const auto metadata = file->ReadMetadata(); metadata.ok() && *metadata != nullptr) told = (*metadata)->sorted_pairs();
    const auto value = [&](const char *wanted) -> std::string {
      for (const auto &[name, value] : told) {
        std::string lower(name);
        std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
        if (lower == wanted) return " " + lower + " " + value;
      }
      return "";
    };
    // A tag goes with the content: the same bytes once more are the same. The time is the least that tells one content from another.
    std::string tag = value("etag");
    if (tag.empty()) tag = value("generation");
    if (tag.empty()) {
      ARROW_ASSIGN_OR_RAISE(const auto info, place.system->GetFileInfo(place.path));
      tag = " modified " + std::to_string(info.mtime().time_since_epoch().count());
    }
    text += tag;
    std::snprintf(version, version_size, "%s", text.c_str());
    return arrow::Status::OK();
  });
}

int remote_list(const char *uri, int recursive, MillraceListed listed, void *context, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto place, find(uri));
    arrow::fs::FileSelector selector;
    selector.base_dir = place.path;
    selector.recursive = recursive != 0;
    selector.allow_not_found = true;
    ARROW_ASSIGN_OR_RAISE(const auto found, place.system->GetFileInfo(selector));
    for (const auto &info : found) {
      if (info.type() != arrow::fs::FileType::File) continue;
      std::string path = info.path();
      if (path.compare(0, place.path.size(), place.path) == 0) path = path.substr(place.path.size());
      while (!path.empty() && path.front() == '/') path.erase(0, 1);
      listed(context, path.c_str());
    }
    return arrow::Status::OK();
  });
}

int remote_size(const char *uri, int64_t *size, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto place, find(uri));
    ARROW_ASSIGN_OR_RAISE(const auto info, place.system->GetFileInfo(place.path));
    *size = info.type() == arrow::fs::FileType::File ? info.size() : -1;
    return arrow::Status::OK();
  });
}

int remote_write(const char *uri, const char *path, char *error, size_t error_size) {
  return guarded(error, error_size, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto place, find(uri));
    ARROW_ASSIGN_OR_RAISE(const auto from, arrow::io::ReadableFile::Open(path));
    // An upload that is not closed leaves no object.
    ARROW_ASSIGN_OR_RAISE(const auto to, place.system->OpenOutputStream(place.path));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto piece, from->Read(8 << 20));
      if (piece->size() == 0) break;
      const auto written = to->Write(piece);
      if (!written.ok()) {
        ARROW_UNUSED(to->Abort());
        return written;
      }
    }
    return to->Close();
  });
}

}  // namespace millrace
