import ArgumentParser
import Diagnostics
import Engine
import Formats
import Pipelines

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Writes what a stage made to a file: a table as csv, parquet, arrow or jsonl, by the file's ending.")

  @OptionGroup var document: DocumentArguments
  @Argument(help: ArgumentHelp("STAGE, or STAGE.OUTPUT.", valueName: "stage")) var name: OutputName
  @Option(name: .customLong("to"), help: ArgumentHelp("The file to write. Documents are written as JSON, files as they are.", valueName: "file"))
  var target: String
  @OptionGroup var place: StoreArguments
  @OptionGroup var common: CommonArguments

  func run() throws {
    Interruption.begin()
    let store = place.store(of: document.project)
    let opened = try ArtifactReader(store: store).open(document.plan(), stage: name.stage, output: name.output)
    switch opened.artifact {
    case .table(let table):
      guard let format = TableFormat(fileName: target) else {
        throw Diagnostic("\(target): the ending does not say how to write a table", expected: "one of \(TableFormat.words)")
      }
      try finishedFile(target) { path in
        let writer = try TableFileWriter(path, as: format, schema: table.schema, delimiter: cellDelimiter(ofFile: target))
        try table.forEachBatch(table.schema.names) { batch in
          try Interruption.check()
          try writer.append(batch)
        }
        try writer.finish()
      }
      if !common.quiet { Standard.error("\(target): \(counted(table.rows, "row"))\n") }
    case .document(let value): try finishedFile(target) { try write(value.pretty(), to: $0) }
    case .file(let file):
      try finishedFile(target) { path in
        let copy = try OutputFile(path: path)
        try copy.write(FileBytes(path: file.path, name: file.name).all())
        try copy.finish()
      }
    }
  }
}
