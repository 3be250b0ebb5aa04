import Columns
import Diagnostics
import Pipelines

/// Events of the OpenLineage standard (https://openlineage.io/spec/2-0-2/OpenLineage.json): a pipeline is a job, each stage another
/// whose parent is the pipeline's run. What a stage makes is the data set `pipeline.stage.output`, at the version that is its digest; a file
/// that it reads is the one at its path.
struct LineageEvent {
  enum State: String { case start = "START", running = "RUNNING", complete = "COMPLETE", fail = "FAIL", abort = "ABORT" }

  let namespace: String
  let pipeline: String
  let run: String
  let toolVersion: String
  /// Against which relative paths are files.
  let folder: String
  private var producer: String { "urn:x-millrace:" + toolVersion }

  // MARK: Events

  func ofPipeline(_ state: State, at time: String, because mistakes: [Diagnostic] = []) -> JSONValue {
    event(state, at: time, stage: nil, facets: error(mistakes), kind: "PIPELINE")
  }

  func ofStage(_ stage: String, _ state: State, at time: String) -> JSONValue {
    event(state, at: time, stage: stage, facets: [], kind: "STAGE")
  }

  /// With what went in and came out; `trace` knows the stage and those before it.
  func ofStage(_ stage: RunReport.Stage, _ state: State, at time: String, _ trace: RunTrace) -> JSONValue {
    let read = trace.inputs(of: stage.name)
    var inputs: [JSONValue] = [], seen: Set<String> = []
    for input in read {
      guard let giver = input.stage, let output = input.output, seen.insert("\(giver).\(output)").inserted else { continue }
      var facets = [JSONMember("version", version(input.artifact?.description))]
      if let columns = input.columns {
        facets.append(JSONMember("schema", facet("SchemaDatasetFacet", "1-1-1", [
          JSONMember("fields", .array(columns.map { ["name": .string($0)] })),
        ])))
      }
      inputs.append(dataset(giver, output, facets))
    }
    for file in stage.sources {
      let (space, name) = place(ofFile: file.name)
      inputs.append(["namespace": .string(space), "name": .string(name), "facets": ["version": version(file.digest)]])
    }
    let outputs = stage.outputs.map { self.output($0, of: stage, trace) }
    return event(state, at: time, stage: stage.name, facets: error(stage.mistakes), kind: "STAGE", inputs: inputs, outputs: outputs)
  }

  private func event(
    _ state: State, at time: String, stage: String?, facets: [JSONMember], kind: String, inputs: [JSONValue] = [], outputs: [JSONValue] = []
  ) -> JSONValue {
    var runFacets = [JSONMember("processing_engine", facet("ProcessingEngineRunFacet", "1-1-1", [
      JSONMember("version", .string(toolVersion)), JSONMember("name", "Millrace"),
    ]))]
    if stage != nil {
      runFacets.append(JSONMember("parent", facet("ParentRunFacet", "1-0-1", [
        JSONMember("run", ["runId": .string(identity(nil))]), JSONMember("job", job(nil)),
      ])))
    }
    var described = job(stage).members!
    described.append(JSONMember("facets", ["jobType": facet("JobTypeJobFacet", "2-0-3", [
      JSONMember("processingType", "BATCH"), JSONMember("integration", "MILLRACE"), JSONMember("jobType", .string(kind)),
    ])]))
    return [
      "eventType": .string(state.rawValue), "eventTime": .string(time), "producer": .string(producer),
      "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
      "run": ["runId": .string(identity(stage)), "facets": .object(runFacets + facets)], "job": .object(described),
      "inputs": .array(inputs), "outputs": .array(outputs),
    ]
  }

  // MARK: Names

  private func job(_ stage: String?) -> JSONValue {
    ["namespace": .string(namespace), "name": .string(pipeline + (stage.map { "." + $0 } ?? ""))]
  }

  /// Ids of the standard are UUIDs: of version 8 (RFC 9562), from the digest of run and stage.
  private func identity(_ stage: String?) -> String {
    let digits = Array(Digest(of: "openlineage\n\(run)\n\(stage ?? "")").description.utf8)
    let hex = digits.enumerated().map { at, digit in at == 12 ? UInt8(ascii: "8") : at == 16 ? UInt8(ascii: "a") : digit }
    return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(decoding: hex[$0], as: UTF8.self) }.joined(separator: "-")
  }

  /// As the standard names data sets: `s3://bucket` and the key, `file` and the path.
  private func place(ofFile name: String) -> (namespace: String, name: String) {
    let parts = name.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    if parts.count == 4, parts[0].hasSuffix(":"), parts[1].isEmpty { return ("\(parts[0])//\(parts[2])", String(parts[3])) }
    return ("file", Disk.normalized(name, from: folder))
  }

  // MARK: Facets

  private func output(_ output: RunReport.Output, of stage: RunReport.Stage, _ trace: RunTrace) -> JSONValue {
    var facets = [JSONMember("version", version(output.record.digest.description))]
    var statistics = [JSONMember("size", .integer(output.record.byteCount))]
    if let table = output.record.table {
      facets.append(JSONMember("schema", facet("SchemaDatasetFacet", "1-1-1", [
        JSONMember("fields", .array(table.schema.fields.map { ["name": .string($0.name), "type": .string($0.type.description)] })),
      ])))
      let columns = table.schema.fields.compactMap { field -> JSONMember? in
        let place = ColumnLineage.Place(stage: stage.name, output: output.name, artifact: output.record.digest, column: field.name)
        guard let step = trace.step(place) else { return nil }
        let from = step.from.compactMap { inputField($0, step) }
        return from.isEmpty ? nil : JSONMember(field.name, ["inputFields": .array(from)])
      }
      if !columns.isEmpty { facets.append(JSONMember("columnLineage", facet("ColumnLineageDatasetFacet", "1-2-0", [JSONMember("fields", .object(columns))]))) }
      statistics.insert(JSONMember("rowCount", .integer(table.rows)), at: 0)
    }
    return .object(
      dataset(stage.name, output.name, facets).members! + [
        JSONMember("outputFacets", ["outputStatistics": facet("OutputStatisticsOutputDatasetFacet", "1-0-2", statistics)]),
      ])
  }

  /// Nil of a document or file, which has no fields: it stands among the inputs of the job.
  private func inputField(_ source: ColumnLineage.Source, _ step: ColumnLineage.Step) -> JSONValue? {
    guard let stage = source.stage, let output = source.output, let column = source.column else { return nil }
    let (type, subtype): (JSONValue, JSONValue?) =
      switch step.way {
      case .same: ("DIRECT", "IDENTITY")
      case .setting, .name: ("DIRECT", "TRANSFORMATION")
      // What the stage reads can have changed it; how is the kind's affair.
      case .stage, .origin, .unknown: ("INDIRECT", nil)
      }
    var transformation = [JSONMember("type", type)]
    if let subtype { transformation.append(JSONMember("subtype", subtype)) }
    transformation.append(JSONMember("description", .string(step.kind)))
    return .object(dataset(stage, output, []).members! + [
      JSONMember("field", .string(column)), JSONMember("transformations", .array([.object(transformation)])),
    ])
  }

  private func dataset(_ stage: String, _ output: String, _ facets: [JSONMember]) -> JSONValue {
    let names: [JSONMember] = [JSONMember("namespace", .string(namespace)), JSONMember("name", .string("\(pipeline).\(stage).\(output)"))]
    return .object(names + (facets.isEmpty ? [] : [JSONMember("facets", .object(facets))]))
  }

  private func version(_ digest: String?) -> JSONValue {
    facet("DatasetVersionDatasetFacet", "1-0-1", [JSONMember("datasetVersion", .string(digest ?? ""))])
  }

  private func error(_ mistakes: [Diagnostic]) -> [JSONMember] {
    if mistakes.isEmpty { return [] }
    return [JSONMember("errorMessage", facet("ErrorMessageRunFacet", "1-0-1", [
      JSONMember("message", .string(mistakes.map(\.description).joined(separator: "\n"))), JSONMember("programmingLanguage", "Swift"),
    ]))]
  }

  private func facet(_ name: String, _ version: String, _ members: [JSONMember]) -> JSONValue {
    .object([
      JSONMember("_producer", .string(producer)), JSONMember("_schemaURL", .string("https://openlineage.io/spec/facets/\(version)/\(name).json#/$defs/\(name)")),
    ] + members)
  }
}
