import Columns
import Testing

@testable import Formats
